#include "ntp/hardware_clock.h"

#include <gtest/gtest.h>

#include <cmath>

#include "base/prng.h"

namespace timepool::ntp {
namespace {

const UnixTime kRaw = UnixTime::from_seconds(1'790'000'000);
// A device's clock that nobody set.
const UnixTime kDevice = UnixTime::from_seconds(1'000);

constexpr Duration ns(std::int64_t count) {
  return Duration::nanoseconds(count);
}

// The device's clock after `since` of raw time, 20 parts in a million fast.
UnixTime device_at(Duration since) {
  return kDevice + since + ns(since.ns() / 50'000);
}

TEST(HardwareClock, says_nothing_without_a_reading) {
  const HardwareClock clock;
  EXPECT_FALSE(clock.raw_of(kDevice).has_value());
}

TEST(HardwareClock, one_reading_maps_what_is_near_it) {
  HardwareClock clock;
  clock.add({kDevice, kRaw, ns(100)});
  const auto near = clock.raw_of(kDevice + Duration::microseconds(20));
  ASSERT_TRUE(near.has_value());
  EXPECT_EQ(near->raw, kRaw + Duration::microseconds(20));
  EXPECT_LE(near->error, ns(130));
  EXPECT_GE(near->error, ns(100));
  EXPECT_FALSE(clock.raw_of(kDevice + Duration::seconds(65)).has_value());
  EXPECT_FALSE(clock.raw_of(kDevice - Duration::seconds(65)).has_value());
}

TEST(HardwareClock, exact_readings_give_the_rate_to_the_nanosecond) {
  HardwareClock clock;
  for (int i = 0; i < 20; ++i) {
    const Duration since = Duration::seconds(i);
    clock.add({device_at(since), kRaw + since, Duration()});
  }
  EXPECT_NEAR(clock.frequency_ppm(), 20, 0.01);
  const Duration between = Duration::milliseconds(18'500);
  const auto mapped = clock.raw_of(device_at(between));
  ASSERT_TRUE(mapped.has_value());
  EXPECT_LE((mapped->raw - (kRaw + between)).abs(), ns(2));
  EXPECT_LE(mapped->error, ns(15));
}

TEST(HardwareClock, noise_of_the_readings_averages_out_and_stays_within_the_error) {
  Prng prng(4);
  HardwareClock clock;
  double squares = 0;
  constexpr int kCount = 1000;
  for (int i = 0; i < kCount; ++i) {
    const Duration since = Duration::seconds(i);
    const auto noise = static_cast<std::int64_t>(prng.below(801)) - 400;
    clock.add({device_at(since) + ns(noise), kRaw + since, ns(400)});
    const auto mapped = clock.raw_of(device_at(since));
    ASSERT_TRUE(mapped.has_value());
    const Duration off = mapped->raw - (kRaw + since);
    EXPECT_LE(off.abs(), mapped->error);
    squares += static_cast<double>(off.ns() * off.ns());
  }
  // A single reading has a deviation of 231 ns.
  EXPECT_LT(std::sqrt(squares / kCount), 170);
}

TEST(HardwareClock, a_wandering_rate_shortens_the_window) {
  HardwareClock clock;
  double drift_ns = 0;
  double rate = 0;
  for (int i = 0; i < 200; ++i) {
    // Ten parts in 10^9 a second, back and forth every fifty seconds.
    rate += (i / 50) % 2 == 0 ? 10 : -10;
    drift_ns += rate;
    const Duration since = Duration::seconds(i);
    const UnixTime device = kDevice + since + ns(std::llround(drift_ns));
    clock.add({device, kRaw + since, Duration()});
    const auto mapped = clock.raw_of(device);
    ASSERT_TRUE(mapped.has_value());
    EXPECT_LE((mapped->raw - (kRaw + since)).abs(), ns(12)) << i;
    EXPECT_LE((mapped->raw - (kRaw + since)).abs(), mapped->error) << i;
  }
}

TEST(HardwareClock, a_step_of_either_clock_drops_the_readings_before) {
  HardwareClock clock;
  for (int i = 0; i < 10; ++i) {
    const Duration since = Duration::seconds(i);
    clock.add({device_at(since), kRaw + since, ns(10)});
  }
  const UnixTime stepped = device_at(Duration::seconds(10)) + Duration::seconds(37);
  clock.add({stepped, kRaw + Duration::seconds(10), ns(10)});
  EXPECT_EQ(clock.readings(), 1u);
  EXPECT_EQ(clock.raw_of(stepped)->raw, kRaw + Duration::seconds(10));
  // Back again: time that goes back is a step too.
  clock.add({device_at(Duration::seconds(11)), kRaw + Duration::seconds(11), ns(10)});
  EXPECT_EQ(clock.readings(), 1u);
}

TEST(HardwareClock, extreme_times_do_not_overflow) {
  HardwareClock clock;
  const UnixTime far = UnixTime::from_ns(std::numeric_limits<std::int64_t>::max());
  const UnixTime early = UnixTime::from_ns(std::numeric_limits<std::int64_t>::min());
  clock.add({far, early, Duration()});
  clock.add({early, far, Duration::max()});
  clock.add({far, far, Duration()});
  EXPECT_TRUE(clock.raw_of(far).has_value());
  EXPECT_FALSE(clock.raw_of(early).has_value());
}

}  // namespace
}  // namespace timepool::ntp
