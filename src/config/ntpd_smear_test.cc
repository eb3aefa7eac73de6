#include "config/ntpd_smear.h"

#include <gtest/gtest.h>

#include "config/ntpd.h"

namespace timepool::config {
namespace {

std::string problems_of(const std::string& text) {
  const auto result = parse(ntpd_schema(), {{"ntpd.toml", text}});
  return result.ok() ? "ok" : format(result.error());
}

std::string audience_of(std::initializer_list<const char*> prefixes) {
  std::vector<Prefix> allow;
  for (const char* text : prefixes) allow.push_back(parse_prefix(text).value());
  return smear_audience_problem(allow);
}

constexpr const char* kFile = "leap_file = \"/usr/share/zoneinfo/leap-seconds.list\"\n";
constexpr const char* kLoopback = "[server]\nlisten = [\"127.0.0.1:0\", \"[::1]:0\"]\n";

TEST(NtpdSmearConfig, B15_smeared_time_is_refused_where_any_public_address_may_ask) {
  EXPECT_EQ(audience_of({"10.0.0.0/8", "fd00::/8", "192.168.1.7"}), "");
  EXPECT_EQ(audience_of({}), "");
  EXPECT_EQ(audience_of({"10.0.0.0/8", "8.8.8.0/24"}),
            "[server.smear]: 8.8.8.0/24 admits public addresses, and smeared time must not get out "
            "of a closed environment: its clients would mix it with true time (RFC 8633 3.7.1)");
  EXPECT_NE(audience_of({"10.0.0.0/7"}), "");
  EXPECT_NE(audience_of({"::/0"}), "");
  EXPECT_NE(audience_of({"2a00:1450::/32"}), "");
}

TEST(NtpdSmearConfig, B15_the_whole_configuration_is_refused_with_the_reason) {
  EXPECT_EQ(
      problems_of(std::string(kFile) + "[server]\n[server.smear]\n"),
      "ntpd.toml: [server.smear]: 0.0.0.0/0 admits public addresses, and smeared time must not "
      "get out of a closed environment: its clients would mix it with true time (RFC 8633 "
      "3.7.1)");
  EXPECT_EQ(problems_of(std::string(kFile) + kLoopback + "[server.smear]\n"), "ok");
}

TEST(NtpdSmearConfig, B15_the_access_list_closes_the_environment) {
  const std::string server = std::string(kFile) + "[server]\n[server.smear]\n";
  EXPECT_EQ(problems_of(server + "[server.access]\nallow = [\"10.0.0.0/8\"]\n"), "ok");
  EXPECT_NE(problems_of(server + "[server.access]\nallow = [\"10.0.0.0/8\", \"8.8.8.8\"]\n"), "ok");
  EXPECT_NE(problems_of(server + "[server.access]\ndeny = [\"8.8.8.8\"]\n"), "ok");
  EXPECT_NE(problems_of(server + "[server.access]\nallow = [\"10.0.0.0/8\"]\n"
                                 "[[server.access.interface]]\nname = \"eth0\"\n"),
            "ok")
      << "everybody who comes by that interface";
}

TEST(NtpdSmearConfig, is_read) {
  const auto config = parse(ntpd_schema(), {{"a", std::string(kFile) + kLoopback +
                                                      "[server.smear]\nshape = \"cosine\"\n"
                                                      "window = \"20h\"\n"}});
  ASSERT_TRUE(config.ok()) << format(config.error());
  EXPECT_EQ(config->server->smear->shape, NtpSmearShape::kCosine);
  EXPECT_EQ(config->server->smear->window, Duration::seconds(72'000));
  EXPECT_EQ(NtpSmearConfig().window, Duration::seconds(86'400));
}

TEST(NtpdSmearConfig, needs_a_leap_file_and_a_clock_that_goes_over_the_leap) {
  EXPECT_EQ(problems_of(std::string(kLoopback) + "[server.smear]\n"),
            "ntpd.toml: [server.smear] needs a leap_file: a smear begins before a leap second is "
            "announced");
  EXPECT_EQ(
      problems_of(std::string("leap_mode = \"ignore\"\n") + kFile + kLoopback + "[server.smear]\n"),
      "ntpd.toml: [server.smear] needs a leap_mode other than \"ignore\": what is served departs "
      "from UTC, and the clock would too");
}

TEST(NtpdSmearConfig, B16_sources_that_smear_are_not_smeared_once_more) {
  EXPECT_NE(
      problems_of(std::string("sources_smear = true\n") + kFile + kLoopback + "[server.smear]\n"),
      "ok");
}

TEST(NtpdSmearConfig, a_window_is_an_hour_to_two_days) {
  for (const char* window : {"59m", "49h"}) {
    EXPECT_NE(problems_of(std::string(kFile) + kLoopback + "[server.smear]\nwindow = \"" + window +
                          "\"\n"),
              "ok");
  }
}

TEST(NtpdOrphanConfig, needs_a_steered_clock_and_the_others_of_the_island) {
  const std::string orphan = "[server]\n[server.local]\norphan = true\n";
  const std::string source = "[[sources.server]]\naddress = \"192.0.2.1\"\n";
  EXPECT_EQ(problems_of("clock = \"steer\"\n" + source + orphan), "ok");
  EXPECT_EQ(problems_of(source + orphan),
            "ntpd.toml: [server.local] orphan needs clock = \"steer\": the servers of the island "
            "follow one of them");
  EXPECT_EQ(problems_of("clock = \"steer\"\n" + orphan),
            "ntpd.toml: [server.local] orphan needs the other servers of the island as sources");
}

TEST(NtpdOrphanConfig, waits_five_minutes_for_the_others_unless_told_otherwise) {
  NtpLocalConfig local;
  EXPECT_EQ(local.wait_alone(), Duration());
  local.orphan = true;
  EXPECT_EQ(local.wait_alone(), Duration::seconds(300));
  local.wait_unsynced = Duration::seconds(7);
  EXPECT_EQ(local.wait_alone(), Duration::seconds(7));
}

}  // namespace
}  // namespace timepool::config
