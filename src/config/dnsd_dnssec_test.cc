#include "config/dnsd_dnssec.h"

#include <gtest/gtest.h>

namespace timepool::config {
namespace {

Result<DnsdDnssecConfig, std::vector<Problem>> read(const std::string& text) {
  return parse(dnsd_dnssec_schema(), {{"dnssec.toml", text}});
}

std::string problems_of(const std::string& text) {
  const auto config = read(text);
  return config.ok() ? "" : format(config.error());
}

TEST(DnsdDnssecConfig, prints_what_it_reads) {
  const auto config = read(R"(
directory = "/keys"
resolver = "127.0.0.1"
variants = 16
inception = "6h"
pool_signatures = "12h"
static_signatures = "3d"
renew_percent = 40
[[zone]]
name = "*"
algorithm = "ed25519"
[[zone]]
name = "Pool.Example."
keys = "ksk-zsk"
roll = false
ksk_lifetime = "365d"
zsk_lifetime = "30d"
dnskey_ttl = "2h"
)");
  ASSERT_TRUE(config.ok()) << format(config.error());
  EXPECT_EQ(config->resolver->port, 53);
  ASSERT_EQ(config->zones.size(), 2U);
  EXPECT_EQ(config->zones[1].name, "pool.example");
  const auto again = read(print_config(dnsd_dnssec_schema(), *config));
  ASSERT_TRUE(again.ok()) << format(again.error());
  EXPECT_EQ(*again, *config);
}

TEST(DnsdDnssecConfig, nothing_is_signed_unless_it_says_so) {
  const DnsdDnssecConfig config;
  EXPECT_TRUE(config.zones.empty());
  EXPECT_EQ(dnssec_zone(config, "pool.example"), nullptr);
}

TEST(DnsdDnssecConfig, a_zone_has_its_own_table_or_that_of_all) {
  DnsdDnssecConfig config;
  config.zones.resize(2);
  config.zones[0].name = "pool.example";
  config.zones[1].name = "*";
  EXPECT_EQ(dnssec_zone(config, "pool.example"), &config.zones[0]);
  EXPECT_EQ(dnssec_zone(config, "other.example"), &config.zones[1]);
  config.zones.pop_back();
  EXPECT_EQ(dnssec_zone(config, "other.example"), nullptr);
}

TEST(DnsdDnssecConfig, says_what_is_wrong) {
  const std::string zone = "directory = \"/k\"\n[[zone]]\nname = \"a.test\"\n";
  EXPECT_EQ(problems_of(zone), "");
  EXPECT_NE(problems_of("[[zone]]\nname = \"a.test\"\n").find("directory"), std::string::npos);
  EXPECT_NE(problems_of("directory = \"/k\"\n[[zone]]\n").find("name"), std::string::npos);
  EXPECT_NE(problems_of(zone + "[[zone]]\nname = \"A.test\"\n").find("twice"), std::string::npos);
  EXPECT_NE(problems_of(zone + "algorithm = \"rsa\"\n").find("ecdsa-p256"), std::string::npos);
  EXPECT_NE(problems_of(zone + "dnskey_ttl = \"90500ms\"\n").find("whole number"),
            std::string::npos);
  EXPECT_NE(problems_of(zone + "keys = \"ksk-zsk\"\nzsk_lifetime = \"2d\"\n").find("zsk_lifetime"),
            std::string::npos);
  EXPECT_NE(problems_of(zone + "ksk_lifetime = \"3d\"\n").find("ksk_lifetime"), std::string::npos);
  EXPECT_NE(problems_of("variants = 0\n").find("variants"), std::string::npos);
}

}  // namespace
}  // namespace timepool::config
