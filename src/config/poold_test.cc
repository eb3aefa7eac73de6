#include "config/poold.h"

#include <gtest/gtest.h>

namespace timepool::config {
namespace {

std::string problems_of(const std::string& toml) {
  const auto parsed = parse(poold_schema(), {{"poold.toml", toml}});
  return parsed.ok() ? std::string() : format(parsed.error());
}

TEST(PooldConfig, empty_file_gives_the_defaults_and_prints_back_to_them) {
  const auto parsed = parse(poold_schema(), {{"poold.toml", ""}});
  ASSERT_TRUE(parsed.ok());
  EXPECT_EQ(parsed->zones.ttl, 150u);
  const std::string printed = print_config(poold_schema(), *parsed);
  const auto again = parse(poold_schema(), {{"printed.toml", printed}});
  ASSERT_TRUE(again.ok()) << format(again.error()) << printed;
  EXPECT_EQ(print_config(poold_schema(), *again), printed);
}

TEST(PooldConfig, refuses_what_is_no_domain_name) {
  for (const char* name : {"", ".", "..", "a..b", ".a", "a b", "\\u0000", "a@b.test"}) {
    const std::string toml = "[zones]\nname = \"" + std::string(name) + "\"\n";
    EXPECT_TRUE(problems_of(toml).starts_with("poold.toml:2:8: [zones] name: ")) << name;
  }
  const std::string label(64, 'x');
  EXPECT_NE(problems_of("[zones]\nname = \"" + label + ".test\"\n"), "");
  EXPECT_NE(problems_of("[zones]\nname_servers = [\"ns1..test\"]\n"), "");
  const auto parsed =
      parse(poold_schema(), {{"poold.toml", "[zones]\nname = \"Pool.test.\"\ncontact = \"\"\n"}});
  ASSERT_TRUE(parsed.ok());
  EXPECT_EQ(parsed->zones.name, "Pool.test");
}

TEST(PooldConfig, overrides_and_hosts_are_read_and_printed) {
  const auto parsed = parse(poold_schema(), {{"poold.toml", R"(
[http]
listen = ["127.0.0.1:0", "[::1]:8080"]
[geoip.overrides]
"127.0.0.0/8" = "de"
"127.0.1.0/24" = "gb"
[zones]
name_servers = ["ns1.pool.test"]
[[zones.host]]
name = "ns1"
addresses = ["127.0.0.1", "::1"]
)"}});
  ASSERT_TRUE(parsed.ok()) << format(parsed.error());
  EXPECT_EQ(parsed->http.listen.size(), 2u);
  EXPECT_EQ(country_of(parsed->geoip.overrides, IpAddress::v4(0x7f000101)), "gb");
  EXPECT_EQ(country_of(parsed->geoip.overrides, IpAddress::v4(0x7f000201)), "de");
  EXPECT_EQ(country_of(parsed->geoip.overrides, IpAddress::v4(0x08080808)), "");
  EXPECT_EQ(parsed->zones.hosts.at(0).addresses.size(), 2u);
  const std::string printed = print_config(poold_schema(), *parsed);
  const auto again = parse(poold_schema(), {{"printed.toml", printed}});
  ASSERT_TRUE(again.ok()) << format(again.error()) << printed;
  EXPECT_EQ(again->geoip.overrides, parsed->geoip.overrides);
}

TEST(PooldConfig, says_where_and_what_is_wrong) {
  EXPECT_NE(problems_of("[zones]\nnam = 'x'\n").find("poold.toml:2:1"), std::string::npos);
  EXPECT_NE(problems_of("[geoip.overrides]\n'10.0.0.1/8' = 'de'\n").find("10.0.0.1/8"),
            std::string::npos);
  EXPECT_NE(problems_of("[geoip.overrides]\n'10.0.0.0/8' = 'Germany'\n").find("ISO 3166"),
            std::string::npos);
  EXPECT_NE(problems_of("[http]\nlisten = []\n").find("at least one"), std::string::npos);
  EXPECT_NE(problems_of("[monitors]\nanswers_kept = '1h'\n").find("ticket_lifetime"),
            std::string::npos);
  EXPECT_NE(problems_of("[scoring]\noffset_slope = [1]\n").find("as many items"),
            std::string::npos);
  EXPECT_NE(problems_of("[scoring]\noffset_above = [0.1, 0.2, 0.3]\n").find("largest"),
            std::string::npos);
}

TEST(PooldConfig, template_of_names_is_below_labels_of_its_own) {
  const auto with = [](const std::string& text) {
    return problems_of("[nts]\ntemplate = \"" + text + "\"\n");
  };
  for (const char* good : {"{name}.m.{pool}", "{name}.servers.nts.{pool}", "{name}.x1-2.{pool}"}) {
    EXPECT_EQ(with(good), "") << good;
  }
  for (const char* bad : {"", "{name}.{pool}", "{name}..{pool}", "{name}.m.example", "m.{pool}",
                          "{name}.M.{pool}", "{name}.m-.{pool}", "{name}.1.{pool}",
                          "{name}.de.{pool}", "{name}.m.europe.{pool}", "{name}.{name}.{pool}"}) {
    EXPECT_NE(with(bad), "") << bad;
  }
  EXPECT_EQ(PooldNtsConfig().parent(), "m");
  EXPECT_NE(problems_of("[[zones.host]]\nname = \"ns.m\"\naddresses = [\"127.0.0.1\"]\n"), "");
  EXPECT_NE(problems_of("[nts]\nreserved = [\"Upper\"]\n"), "");
  EXPECT_NE(problems_of("[nts]\ntrust = \"two words\"\n"), "");
}

}  // namespace
}  // namespace timepool::config
