#include "config/dnsd.h"

#include <gtest/gtest.h>

namespace timepool::config {
namespace {

std::string problems_of(const std::string& text) {
  const auto parsed = parse(dnsd_schema(), {{"dnsd.toml", text}});
  return parsed.ok() ? "" : format(parsed.error());
}

TEST(DnsdConfig, prints_what_it_reads) {
  const std::string text = R"(log_level = "debug"
[server]
listen = ["127.0.0.1:5353", "[::1]:5353"]
threads = 3
identity = "ns1"
[tcp]
max_connections = 10
idle_timeout = "2s"
[cookies]
seed_file = "/seed"
rotation = "3h"
required = true
max_udp_without = 512
[rrl]
rate = 20
slip = 1
ipv6_prefix = 64
exempt = ["192.0.2.0/24"]
[query_log]
file = "/q"
format = "dnstap"
sample = 100
[accounting]
token_file = "/t"
interval = "10s"
spool_file = "/s"
[geoip]
files = ["/a.mmdb", "/b.mmdb"]
overrides = { "192.0.2.0/24" = "de" }
asn_overrides = { "192.0.2.0/24" = 64500 }
[zones]
directory = "/zones"
[snapshot]
urls = ["http://127.0.0.1:8080"]
public_keys = ["000102030405060708090a0b0c0d0e0f000102030405060708090a0b0c0d0e0f"]
[metrics]
listen = "127.0.0.1:9975"
)";
  const auto read = parse(dnsd_schema(), {{"dnsd.toml", text}});
  ASSERT_TRUE(read.ok()) << format(read.error());
  EXPECT_EQ(read->server.threads, 3U);
  EXPECT_EQ(read->geoip.asn_overrides.at(0).asn, 64500U);
  const auto again =
      parse(dnsd_schema(), {{"printed.toml", print_config(dnsd_schema(), read.value())}});
  ASSERT_TRUE(again.ok()) << format(again.error());
  EXPECT_EQ(again.value(), read.value());
}

TEST(DnsdConfig, refuses_what_is_no_url_of_a_manager) {
  const auto problems_of = [](const std::string& url) {
    const auto parsed =
        parse(dnsd_schema(), {{"d.toml", "[snapshot]\nurls = [\"" + url + "\"]\npublic_keys = [\"" +
                                             std::string(64, 'a') + "\"]\n"}});
    return parsed.ok() ? std::string() : format(parsed.error());
  };
  for (const char* url :
       {"", "pool.test", "ftp://a", "http://", "https:///x", "http://:80", "http://a b",
        "http://a:0", "http://a:65536", "http://a:", "http://[::1"}) {
    EXPECT_TRUE(problems_of(url).starts_with("d.toml:2:")) << url << problems_of(url);
  }
  for (const char* url : {"http://a", "https://pool.test:8443/x?y:z", "http://[::1]:80",
                          "http://[::1]", "http://u:p@a:80/"}) {
    EXPECT_EQ(problems_of(url), "") << url;
  }
}

TEST(DnsdConfig, says_what_is_wrong_and_where) {
  EXPECT_NE(problems_of("[server]\nlissten = []\n").find("dnsd.toml:2:1"), std::string::npos);
  EXPECT_NE(problems_of("[cookies]\nrotation = \"1h\"\n").find("dnsd.toml:2:"), std::string::npos);
  EXPECT_NE(problems_of("[cookies]\nrotation = \"7200500ms\"\n").find("whole number"),
            std::string::npos);
  EXPECT_NE(problems_of("[cookies]\nmax_udp_without = 511\n").find("at least 512"),
            std::string::npos);
  EXPECT_NE(problems_of("[rrl]\nipv6_prefix = 65\n").find("dnsd.toml:2:"), std::string::npos);
  EXPECT_NE(problems_of("[snapshot]\nurls = [\"http://x\"]\n").find("public_keys"),
            std::string::npos);
  EXPECT_NE(problems_of("[snapshot]\nurls = [\"ftp://x\"]\n").find("http://"), std::string::npos);
  EXPECT_NE(problems_of("[server]\nlisten = [\"1.2.3.4:53\", \"1.2.3.4\"]\n").find("twice"),
            std::string::npos);
  EXPECT_NE(problems_of("[geoip]\nasn_overrides = { \"192.0.2.0/24\" = 0 }\n").find("1 to"),
            std::string::npos);
  EXPECT_NE(problems_of("[accounting]\ntoken_file = \"/t\"\n").find("[snapshot] urls"),
            std::string::npos);
  EXPECT_EQ(problems_of(""), "");
}

}  // namespace
}  // namespace timepool::config
