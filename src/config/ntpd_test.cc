#include "config/ntpd.h"

#include <gtest/gtest.h>

namespace timepool::config {
namespace {

std::string problems_of(std::string text) {
  const auto result = parse(ntpd_schema(), {{"ntpd.toml", std::move(text)}});
  return result.ok() ? "ok" : format(result.error());
}

constexpr const char* kFull = R"(clock = "observe"

[server]
listen = ["127.0.0.1:1123", "[::1]:0"]
threads = 2

[server.local]
stratum = 1
refid = "GPS"

[server.test]
offset = "400ms"

[sources]
min_sources = 2
auth_selection = "require"
min_stratum = 1
max_stratum = 4
max_distance = "500ms"
max_jitter = "50ms"
reselect_distance = "1ms"
stratum_weight = "0s"
combine_limit = 2.5
own_addresses = ["198.51.100.7"]

[[sources.server]]
address = "192.0.2.1"
iburst = true
minpoll = -1
maxpoll = 4
prefer = true
trust = true
require = true
noselect = true

[[pool]]
address = "pool.example"
max_addresses = 6

[resolver]
servers = ["127.0.0.1:5353"]
)";

TEST(NtpdConfig, reads_server_and_sources_and_prints_the_same) {
  const auto config = parse(ntpd_schema(), {{"a", kFull}});
  ASSERT_TRUE(config.ok()) << format(config.error());
  ASSERT_TRUE(config->server && config->server->local);
  EXPECT_EQ(config->server->local->refid, "GPS");
  EXPECT_EQ(config->server->test.offset, Duration::milliseconds(400));
  ASSERT_EQ(config->sources.servers.size(), 1u);
  ASSERT_EQ(config->sources.pools.size(), 1u);
  EXPECT_EQ(config->sources.pools[0].max_addresses, 6);
  const auto again = parse(ntpd_schema(), {{"b", print_config(ntpd_schema(), *config)}});
  ASSERT_TRUE(again.ok()) << format(again.error());
  EXPECT_EQ(*again, *config);
}

TEST(NtpdConfig, an_empty_file_neither_serves_nor_asks_anybody) {
  const auto config = parse(ntpd_schema(), {{"a", ""}});
  ASSERT_TRUE(config.ok());
  EXPECT_FALSE(config->server.has_value());
  EXPECT_TRUE(config->sources.servers.empty());
  EXPECT_TRUE(config->sources.pools.empty());
}

TEST(NtpdConfig, B14_polls_reach_from_a_64th_of_a_second_to_18_hours) {
  const auto polls = [](const std::string& setting) {
    return problems_of("[[server]]\naddress = \"a\"\n" + setting + "\n");
  };
  EXPECT_EQ(polls("minpoll = -6\nmaxpoll = 16\npresend = 16"), "ok");
  EXPECT_NE(polls("minpoll = -7"), "ok");
  EXPECT_NE(polls("maxpoll = 17"), "ok");
}

TEST(NtpdConfig, F4_F5_F6_F12_failing_over_has_settings_of_each_source) {
  const auto config = parse(ntpd_schema(), {{"a", R"([[server]]
address = "a.test"
[[pool]]
address = "b.test"
max_addresses = 6
initial_failover_retry_limit = 3
server_failure_retry_limit = 0
resolve_refresh = "10m"
family = "ipv6"
)"}});
  ASSERT_TRUE(config.ok()) << format(config.error());
  const NtpSourceConfig& usual = config->sources.servers[0];
  EXPECT_EQ(usual.max_addresses, 0);
  EXPECT_EQ(usual.initial_failover_retry_limit, 8);
  EXPECT_EQ(usual.server_failure_retry_limit, 8);
  EXPECT_EQ(usual.resolve_refresh, Duration::seconds(3600));
  const NtpSourceConfig& pool = config->sources.pools[0];
  EXPECT_EQ(pool.max_addresses, 6);
  EXPECT_EQ(pool.initial_failover_retry_limit, 3);
  EXPECT_EQ(pool.server_failure_retry_limit, 0);
  EXPECT_EQ(pool.resolve_refresh, Duration::seconds(600));
  EXPECT_EQ(pool.family, AddressFamily::kV6);
  EXPECT_EQ(problems_of("[[server]]\naddress = \"a\"\nresolve_min = \"1h\"\n"),
            "ntpd.toml:1:1: [server]: resolve_min is above resolve_max");
}

TEST(NtpdConfig, names_what_does_not_fit) {
  EXPECT_EQ(problems_of("[[server]]\naddress = \"a\"\nminpoll = 8\nmaxpoll = 7\n"),
            "ntpd.toml:1:1: [server]: minpoll is above maxpoll");
  const std::string unknown = problems_of("[[server]]\naddress = \"a\"\nmax_stratum = 2\n");
  EXPECT_TRUE(unknown.starts_with(
      "ntpd.toml:3:1: unknown key \"max_stratum\" in [server]; known here: address, port, "))
      << unknown;
  EXPECT_EQ(problems_of("[server]\nlisten = [\"127.0.0.1\", \"127.0.0.1:123\"]\n"),
            "ntpd.toml: [server]: listen: 127.0.0.1:123 is there twice");
  EXPECT_EQ(problems_of("[server.local]\nrefid = \"a b\"\n"),
            "ntpd.toml: [server.local]: refid must be one to four printable ASCII characters "
            "without spaces");
  EXPECT_EQ(problems_of("clock = \"step\"\n"),
            "ntpd.toml:1:9: clock: \"step\" is not one of \"observe\", \"steer\"");
  EXPECT_EQ(problems_of("[sources]\nmin_stratum = 3\nmax_stratum = 2\n"),
            "ntpd.toml: [sources]: min_stratum is above max_stratum");
  EXPECT_EQ(problems_of("[sources]\nauth_selection = \"mixed\"\n"),
            "ntpd.toml:2:18: [sources] auth_selection: \"mixed\" is not one of \"require\", "
            "\"prefer\", \"mix\", \"ignore\"");
  std::string many;
  for (int i = 0; i < 9; ++i) many += "[[server]]\naddress = \"a\"\n[[pool]]\naddress = \"b\"\n";
  EXPECT_EQ(problems_of(many), "ntpd.toml: [sources]: more than 16 servers and pools");
}

TEST(NtpdConfig, logs_need_a_directory) {
  EXPECT_NE(problems_of("[log]\ntracking = true\n").find("there is no directory"),
            std::string::npos);
  EXPECT_NE(problems_of("[log]\nrefclocks = true\n").find("there is no directory"),
            std::string::npos);
  EXPECT_EQ(problems_of("[log]\ntracking = true\ndirectory = \"/var/log/timepool\"\n"), "ok");
  EXPECT_EQ(problems_of("[log]\nbanner = 0\n"), "ok");
}

TEST(NtpdConfig, metrics_have_a_port_of_their_own) {
  const auto config = parse(ntpd_schema(), {{"a", "[metrics]\nlisten = \"127.0.0.1\"\n"}});
  ASSERT_TRUE(config.ok()) << format(config.error());
  EXPECT_EQ(format(config->metrics.listen.value()), "127.0.0.1:9975");
}

}  // namespace
}  // namespace timepool::config
