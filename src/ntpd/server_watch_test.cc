#include "ntpd/server_watch.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "base/byte_writer.h"

namespace timepool::ntpd {
namespace {

std::vector<std::byte> datagram(unsigned first_octet) {
  return {std::byte(first_octet), std::byte{0}};
}

MonoTime at(int seconds) {
  return MonoTime::from_ns(std::int64_t{seconds} * 1'000'000'000);
}

TEST(ServerCounters, count_each_datagram_once_by_reason_version_and_mode) {
  ServerCounters counters;
  counters.count(ntp::Reason::kAnsweredPlain, datagram(0x23));  // version 4, mode 3
  counters.count(ntp::Reason::kAnsweredPlain, datagram(0xdb));  // leap 3, version 3, mode 3
  counters.count(ntp::Reason::kModeControl, datagram(0x16));    // version 2, mode 6
  counters.count(ntp::Reason::kTooShort, {});
  ServerCounts counts;
  counters.add_to(counts);
  EXPECT_EQ(counts.total(), 4u);
  EXPECT_EQ(counts.answered(), 2u);
  EXPECT_EQ(counts.of_version(4), 1u);
  EXPECT_EQ(counts.of_version(3), 1u);
  EXPECT_EQ(counts.of_mode(3), 2u);
  EXPECT_EQ(counts.of_mode(6), 1u);
}

TEST(ServerCounters, latency_falls_below_the_bound_of_its_bucket) {
  for (const std::int64_t us : {0, 1, 2, 3, 4, 1000, 100'000, 10'000'000}) {
    ServerCounters counters;
    counters.count_reply(Duration::microseconds(us));
    ServerCounts counts;
    counters.add_to(counts);
    std::size_t bucket = 0;
    while (counts.latency[bucket] == 0) ++bucket;
    const bool last = bucket + 1 == kLatencyBuckets;
    EXPECT_TRUE(last || us < latency_bound_us(bucket)) << us;
    EXPECT_TRUE(bucket == 0 || us >= latency_bound_us(bucket - 1)) << us;
    EXPECT_EQ(counts.latency_sum_ns, static_cast<std::uint64_t>(us) * 1000);
  }
}

TEST(ServerCounters, a_clock_set_back_under_way_is_no_latency) {
  ServerCounters counters;
  counters.count_reply(Duration::seconds(-5));
  ServerCounts counts;
  counters.add_to(counts);
  EXPECT_EQ(counts.latency[0], 1u);
  EXPECT_EQ(counts.latency_sum_ns, 0u);
}

TEST(ServerWatch, tells_the_rates_of_the_last_look_the_last_minute_and_the_highest) {
  sys::Logger logger("test", sys::LogLevel::kError);
  ServerWatch watch(logger);
  ServerCounts counts;
  const auto nobody = [](ntp::Reason) { return std::nullopt; };
  std::uint64_t& total = counts.reasons[0];
  watch.look(counts, nobody, at(0));
  EXPECT_EQ(watch.rates().newest, 0);
  for (int i = 1; i <= 12; ++i) {
    total += i == 9 ? 5000 : 100;
    watch.look(counts, nobody, at(10 * i));
  }
  EXPECT_DOUBLE_EQ(watch.rates().newest, 10);
  EXPECT_DOUBLE_EQ(watch.rates().minute, (5 * 100 + 5000) / 60.0);
  EXPECT_DOUBLE_EQ(watch.rates().highest, 500);
}

TEST(ConcernLog, B29_warns_once_an_hour_with_the_count_since) {
  testing::internal::CaptureStderr();
  {
    sys::Logger logger("test", sys::LogLevel::kInfo);
    ConcernLog log(logger, 2);
    const Advice advice{true, "meaning", "action"};
    const Endpoint from{IpAddress::v4(0xc0000201), 99, 0};
    log.note(0, "first", advice, 5, from, at(1));
    log.note(0, "first", advice, 9, from, at(60));
    log.note(0, "first", advice, 9, from, at(4000));
    log.note(0, "first", advice, 9, from, at(8000));
    log.note(1, "harmless", {}, 1, from, at(8000));
  }
  const std::string text = testing::internal::GetCapturedStderr();
  EXPECT_NE(text.find("first from 192.0.2.1:99: meaning; 5 since"), std::string::npos) << text;
  EXPECT_NE(text.find("; 4 since"), std::string::npos) << text;
  EXPECT_EQ(text.find("0 since"), std::string::npos) << text;
  EXPECT_EQ(text.find("harmless"), std::string::npos) << text;
}

}  // namespace
}  // namespace timepool::ntpd
