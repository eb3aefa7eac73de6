#include "refclock/phc_offset.h"

#include <gtest/gtest.h>

#include <vector>

namespace timepool::refclock {
namespace {

using ntp::RefclockReason;

UnixTime at(std::int64_t ns) {
  return UnixTime::from_seconds(1'790'000'000) + Duration::nanoseconds(ns);
}

TEST(PhcOffset, a_reading_of_both_at_once_has_no_dispersion) {
  const std::vector<PhcComparison> one{{at(0), at(37'000'000'050), at(0)}};
  const Look look = compare_clocks(one);
  ASSERT_EQ(look.reason, RefclockReason::kAccepted);
  EXPECT_EQ(look.reading.offset, Duration::nanoseconds(37'000'000'050));
  EXPECT_EQ(look.reading.dispersion, Duration());
}

TEST(PhcOffset, the_slow_comparisons_are_left_out) {
  const std::vector<PhcComparison> several{
      {at(0), at(900), at(1000)},      // 400 above the middle, quick
      {at(2000), at(2880), at(3040)},  // 360 above, almost as quick
      {at(4000), at(9000), at(9500)},  // held up before the device was read
      {at(20'000), at(20'900), at(90'000)}};
  const Look look = compare_clocks(several);
  ASSERT_EQ(look.reason, RefclockReason::kAccepted);
  EXPECT_EQ(look.reading.offset, Duration::nanoseconds(380));
  EXPECT_EQ(look.reading.dispersion, Duration::nanoseconds(500));
  EXPECT_EQ(look.reading.local, at(1510));
}

TEST(PhcOffset, a_system_clock_that_went_back_tells_nothing) {
  const std::vector<PhcComparison> stepped{{at(100), at(50), at(0)}};
  EXPECT_EQ(compare_clocks(stepped).reason, RefclockReason::kBadField);
  EXPECT_EQ(compare_clocks({}).reason, RefclockReason::kBadField);
  const std::vector<PhcComparison> one_good{{at(100), at(50), at(0)}, {at(200), at(205), at(210)}};
  EXPECT_EQ(compare_clocks(one_good).reason, RefclockReason::kAccepted);
}

TEST(PhcOffset, a_device_clock_that_was_never_set_is_too_far_off) {
  const std::vector<PhcComparison> unset{{at(0), UnixTime::from_seconds(-2'000'000'000), at(10)}};
  EXPECT_EQ(compare_clocks(unset).reason, RefclockReason::kTooLarge);
}

}  // namespace
}  // namespace timepool::refclock
