#include "ntp/clock_record.h"

#include <gtest/gtest.h>

namespace timepool::ntp {
namespace {

ClockEstimate estimate_at(std::int64_t seconds) {
  ClockEstimate out;
  out.at = {MonoTime::from_ns(0) + Duration::seconds(seconds), UnixTime::from_seconds(seconds)};
  return out;
}

TEST(ClockRecord, keeps_the_last_offset_and_the_time_between_updates) {
  ClockRecord record;
  EXPECT_FALSE(record.estimate());
  record.update(estimate_at(100), Duration::milliseconds(-4));
  EXPECT_EQ(record.last_offset(), Duration::milliseconds(-4));
  EXPECT_EQ(record.interval(), Duration());
  EXPECT_EQ(record.rms_offset(), Duration::milliseconds(4));
  record.update(estimate_at(164), Duration::milliseconds(2));
  EXPECT_EQ(record.last_offset(), Duration::milliseconds(2));
  EXPECT_EQ(record.interval(), Duration::seconds(64));
  EXPECT_EQ(record.updates(), 2u);
  EXPECT_EQ(record.estimate()->at.raw, UnixTime::from_seconds(164));
}

TEST(ClockRecord, the_rms_offset_follows_what_the_offsets_become) {
  ClockRecord record;
  record.update(estimate_at(0), Duration::seconds(1));
  for (int i = 1; i <= 300; ++i) {
    record.update(estimate_at(i), Duration::microseconds(i % 2 == 0 ? 50 : -50));
  }
  EXPECT_NEAR(record.rms_offset().to_seconds(), 50e-6, 1e-6);
}

}  // namespace
}  // namespace timepool::ntp
