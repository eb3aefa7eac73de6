#include "ntpd/server_access.h"
#include "sys/temporary_directory.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <vector>

namespace timepool::ntpd {
namespace {

class ServerAccessTest : public ::testing::Test {
 protected:
  std::string write(const char* name, const std::string& text) {
    const std::string path = temporary_.path() + "/" + name;
    std::ofstream(path) << text;
    return path;
  }

  sys::TemporaryDirectory temporary_;
  config::NtpAccessConfig config_;
  ServerAccess access_;
};

IpAddress ip(const char* text) {
  return parse_ip(text).value();
}

TEST_F(ServerAccessTest, without_settings_there_is_no_list) {
  ASSERT_TRUE(access_.load(config_).ok());
  EXPECT_EQ(access_.list(), nullptr);
}

TEST_F(ServerAccessTest, files_add_to_what_the_settings_say) {
  config_.deny = {parse_prefix("192.0.2.0/24").value()};
  config_.deny_files = {write("a", "198.51.100.0/24\n"), write("b", "# none\n2001:db8::/32\n")};
  ASSERT_TRUE(access_.load(config_).ok());
  const auto list = access_.list();
  EXPECT_EQ(access_.prefixes(), 3U);
  EXPECT_FALSE(list->serves(ip("192.0.2.1"), 0));
  EXPECT_FALSE(list->serves(ip("198.51.100.1"), 0));
  EXPECT_FALSE(list->serves(ip("2001:db8::1"), 0));
  EXPECT_TRUE(list->serves(ip("203.0.113.1"), 0));
  EXPECT_EQ(access_.list(), list) << "the same while nothing changes";
}

TEST_F(ServerAccessTest, a_fault_names_file_and_line_and_changes_nothing) {
  config_.deny_files = {write("a", "192.0.2.0/24\n")};
  ASSERT_TRUE(access_.load(config_).ok());
  const auto list = access_.list();
  config_.deny_files.push_back(write("b", "\n10.0.0.0/8\n10.0.0.1/8\n"));
  const auto loaded = access_.load(config_);
  ASSERT_FALSE(loaded.ok());
  EXPECT_NE(loaded.error().text().find("/b:3: \"10.0.0.1/8\""), std::string::npos)
      << loaded.error().text();
  EXPECT_EQ(access_.list(), list);
  config_.deny_files = {temporary_.path() + "/missing"};
  EXPECT_FALSE(access_.load(config_).ok());
}

TEST_F(ServerAccessTest, an_empty_file_of_prefixes_to_serve_does_not_open_the_server_to_all) {
  config_.allow_files = {write("a", "# to be filled\n")};
  EXPECT_FALSE(access_.load(config_).ok());
}

TEST_F(ServerAccessTest, interfaces_are_found_by_name_and_told_when_they_are_missing) {
  config::NtpInterfaceAccess loopback;
  loopback.name = "lo";
  loopback.deny = {parse_prefix("127.0.0.0/8").value()};
  config::NtpInterfaceAccess other;
  other.name = "no-such-if";
  config_.interfaces = {loopback, other};
  ASSERT_TRUE(access_.load(config_).ok());
  const auto list = access_.list();
  ASSERT_NE(list, nullptr);
  EXPECT_EQ(access_.missing(), std::vector<std::string>{"no-such-if"});
  // The loopback interface is the first of every network namespace.
  EXPECT_FALSE(list->serves(ip("127.0.0.1"), 1));
  EXPECT_TRUE(list->serves(ip("127.0.0.1"), 77));
}

TEST_F(ServerAccessTest, the_audience_is_all_that_some_rule_may_serve) {
  EXPECT_EQ(audience_of(config_).value().size(), 2U) << "everybody";
  config_.allow = {parse_prefix("10.0.0.0/8").value()};
  config_.allow_files = {write("a", "fd00::/8\n")};
  config::NtpInterfaceAccess loopback;
  loopback.name = "lo";
  loopback.allow = {parse_prefix("127.0.0.0/8").value()};
  config_.interfaces = {loopback};
  const auto audience = audience_of(config_);
  ASSERT_TRUE(audience.ok());
  ASSERT_EQ(audience->size(), 3U);
  EXPECT_EQ(format((*audience)[1]), "fd00::/8");
  EXPECT_EQ(format((*audience)[2]), "127.0.0.0/8");
  config_.interfaces[0].allow.clear();
  EXPECT_EQ(audience_of(config_)->size(), 4U) << "everybody by that interface";
}

TEST_F(ServerAccessTest, a_hundred_thousand_prefixes_load_from_a_file) {
  std::string text;
  for (unsigned i = 0; i < 100'000; ++i) {
    text += format(Prefix(IpAddress::v4(0x0100'0000U + (i << 8)), 24)) + "\n";
  }
  config_.deny_files = {write("many", text)};
  ASSERT_TRUE(access_.load(config_).ok());
  EXPECT_EQ(access_.prefixes(), 100'000U);
  const auto list = access_.list();
  EXPECT_FALSE(list->serves(ip("1.0.0.1"), 0));
  EXPECT_FALSE(list->serves(IpAddress::v4(0x0100'0000U + (99'999U << 8)), 0));
  EXPECT_TRUE(list->serves(IpAddress::v4(0x0100'0000U + (100'000U << 8)), 0));
}

TEST(LimitSettings, only_the_bucket_of_newcomers_is_shared_out_among_workers) {
  config::NtpLimitsConfig config;
  const ntp::LimitSettings one = limit_settings(config, 1);
  const ntp::LimitSettings four = limit_settings(config, 4);
  EXPECT_EQ(one.address, BucketRate::of(100, 8000));
  EXPECT_EQ(four.address, one.address);
  EXPECT_EQ(four.networks, one.networks);
  EXPECT_EQ(four.newcomers, BucketRate::of(25'000, 25'000));
  EXPECT_EQ(limit_settings(config, 0).newcomers, one.newcomers);
  EXPECT_EQ(one.exempt->find(ip("127.0.0.1")), 1U);
  EXPECT_EQ(one.exempt->find(ip("::1")), 1U);
  EXPECT_EQ(one.exempt->find(ip("192.0.2.1")), 0U);
  EXPECT_EQ(clients_of_worker(config, 4), 16'384U);
}

// How many of the requests of `machines` behind one address pass the usual limits: `requests` of
// each, `gap` seconds apart, the machines' first within `spread` seconds of each other.
int passed(int machines, int requests, double gap, double spread) {
  const ntp::LimitSettings settings = limit_settings(config::NtpLimitsConfig{}, 1);
  ntp::RateLimiter limiter(1024, {});
  std::vector<double> times;
  for (int i = 0; i < machines; ++i) {
    for (int k = 0; k < requests; ++k) times.push_back(spread * i / machines + gap * k);
  }
  std::sort(times.begin(), times.end());
  int out = 0;
  for (const double at : times) {
    const MonoTime now = MonoTime::from_ns(1'000'000'000) + Duration::from_seconds(at);
    const auto verdict = limiter.judge({ip("192.0.2.1"), 4, 3}, now, settings);
    out += verdict == ntp::LimitVerdict::kPass ? 1 : 0;
  }
  return out;
}

TEST(LimitSettings, the_usual_ones_pass_what_an_address_translator_has_behind_it) {
  EXPECT_EQ(passed(1000, 8, 2, 0.1), 8000) << "machines that start together, each with a burst";
  EXPECT_EQ(passed(4000, 30, 64, 64), 120'000) << "subscribers who ask each 64 s";
  EXPECT_LT(passed(1, 1'000'000, 1e-4, 0), 300'000) << "a flood of 100 s";
}

}  // namespace
}  // namespace timepool::ntpd
