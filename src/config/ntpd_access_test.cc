#include "config/ntpd_access.h"

#include <gtest/gtest.h>

#include "config/ntpd.h"

namespace timepool::config {
namespace {

std::string problems_of(const std::string& text) {
  const auto result = parse(ntpd_schema(), {{"ntpd.toml", text}});
  return result.ok() ? "ok" : format(result.error());
}

TEST(NtpdAccess, everybody_is_served_and_limited_loosely_without_settings) {
  const auto config = parse(ntpd_schema(), {{"ntpd.toml", "[server]\n"}});
  ASSERT_TRUE(config.ok());
  EXPECT_EQ(config->server->access, NtpAccessConfig());
  EXPECT_TRUE(config->server->limits.enabled);
  EXPECT_TRUE(config->server->limits.exempt[0].contains(parse_ip("127.0.0.1").value()));
  EXPECT_TRUE(config->server->limits.exempt[1].contains(parse_ip("::1").value()));
}

TEST(NtpdAccess, rules_and_limits_are_read_and_print_the_same) {
  const std::string text = R"([server.access]
allow = ["192.0.2.0/24", "2001:db8::/32"]
deny = ["192.0.2.7"]
deny_files = ["/etc/timepool/deny"]

[[server.access.interface]]
name = "eth0"
allow = ["0.0.0.0/0"]

[server.limits]
address_rate = 2.5
address_burst = 20
v6_48_rate = 0
leak = 0
exempt = []
)";
  const auto config = parse(ntpd_schema(), {{"ntpd.toml", text}});
  ASSERT_TRUE(config.ok()) << format(config.error());
  const NtpServerConfig& server = *config->server;
  EXPECT_EQ(server.access.allow.size(), 2U);
  EXPECT_EQ(format(server.access.deny.at(0)), "192.0.2.7/32");
  ASSERT_EQ(server.access.interfaces.size(), 1U);
  EXPECT_EQ(server.access.interfaces[0].name, "eth0");
  EXPECT_EQ(server.access.interfaces[0].allow.size(), 1U);
  EXPECT_EQ(server.limits.address_rate, 2.5);
  EXPECT_EQ(server.limits.leak, 0U);
  EXPECT_TRUE(server.limits.exempt.empty());
  const auto again = parse(ntpd_schema(), {{"printed", print_config(ntpd_schema(), *config)}});
  ASSERT_TRUE(again.ok()) << format(again.error());
  EXPECT_EQ(*again, *config);
}

TEST(NtpdAccess, a_prefix_with_bits_behind_its_length_is_refused_with_its_place) {
  const std::string problems = problems_of("[server.access]\ndeny = [\"192.0.2.1/24\"]\n");
  EXPECT_NE(problems.find("ntpd.toml:2"), std::string::npos) << problems;
  EXPECT_NE(problems.find("192.0.2.0/24"), std::string::npos) << problems;
}

TEST(NtpdAccess, an_interface_needs_a_name_of_its_own) {
  EXPECT_NE(problems_of("[[server.access.interface]]\nallow = []\n").find("name"),
            std::string::npos);
  EXPECT_NE(problems_of("[[server.access.interface]]\nname = \"a\"\n"
                        "[[server.access.interface]]\nname = \"a\"\n")
                .find("\"a\" is there twice"),
            std::string::npos);
}

TEST(NtpdAccess, a_bucket_that_takes_longer_than_a_day_to_fill_is_refused) {
  EXPECT_NE(problems_of("[server.limits]\nv4_24_rate = 0.01\nv4_24_burst = 1000\n")
                .find("v4_24_burst takes longer than a day to fill"),
            std::string::npos);
  EXPECT_EQ(problems_of("[server.limits]\nv4_24_rate = 0\nv4_24_burst = 1000\n"), "ok");
}

}  // namespace
}  // namespace timepool::config
