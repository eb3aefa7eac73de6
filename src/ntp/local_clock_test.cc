#include "ntp/local_clock.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "base/prng.h"

namespace timepool::ntp {
namespace {

const UnixTime kStart = UnixTime::from_seconds(1'790'000'000);
const MonoTime kMono = MonoTime::from_ns(123'456'789);

ClockReading start() {
  return {kMono, kStart, {}};
}
Duration ms(std::int64_t n) {
  return Duration::milliseconds(n);
}

TEST(LocalClock, raw_time_begins_as_the_system_clock_reads) {
  const LocalClock clock(start(), 0);
  EXPECT_EQ(clock.local(kMono).raw, kStart);
  EXPECT_EQ(clock.raw(kStart + ms(5)), kStart + ms(5));
  EXPECT_EQ(clock.system(kStart + ms(5)), kStart + ms(5));
}

TEST(LocalClock, a_rate_is_seconds_gained_in_a_second_of_raw_time) {
  LocalClock clock(start(), 0);
  clock.rate_changed(kMono + ms(1000), 0.1);
  // 11 s of the clocks are 10 s of raw time.
  const MonoTime later = kMono + ms(12'000);
  EXPECT_EQ(clock.local(later).raw, kStart + ms(11'000));
  EXPECT_EQ(clock.raw(kStart + ms(12'000)), kStart + ms(11'000));
  EXPECT_EQ(clock.system(kStart + ms(11'000)), kStart + ms(12'000));
  EXPECT_EQ(clock.correction(kStart + ms(11'000)), ms(1000));
  EXPECT_EQ(clock.mono(kStart + ms(11'000)), later);
}

TEST(LocalClock, a_timestamp_from_before_the_last_change_maps_by_what_was_then) {
  LocalClock clock(start(), 0);
  clock.rate_changed(kMono + ms(1000), 0.1);
  clock.rate_changed(kMono + ms(2100), -0.1);
  EXPECT_EQ(clock.raw(kStart + ms(500)), kStart + ms(500));
  EXPECT_EQ(clock.raw(kStart + ms(1550)), kStart + ms(1500));
  EXPECT_EQ(clock.raw(kStart + ms(2100 + 900)), kStart + ms(3000));
}

TEST(LocalClock, raw_time_goes_on_through_a_step) {
  LocalClock clock(start(), 0);
  clock.stepped(kMono + ms(1000), ms(-30'000));
  EXPECT_EQ(clock.local(kMono + ms(2000)).raw, kStart + ms(2000));
  EXPECT_EQ(clock.raw(kStart + ms(2000 - 30'000)), kStart + ms(2000));
  EXPECT_EQ(clock.system(kStart + ms(2000)), kStart + ms(2000 - 30'000));
  EXPECT_EQ(clock.system(kStart + ms(900)), kStart + ms(900));
}

TEST(LocalClock, a_reading_that_a_step_forward_skipped_is_the_moment_of_the_step) {
  LocalClock clock(start(), 0);
  clock.stepped(kMono + ms(1000), ms(30'000));
  EXPECT_EQ(clock.raw(kStart + ms(900)), kStart + ms(900));
  EXPECT_EQ(clock.raw(kStart + ms(15'000)), kStart + ms(1000));
  EXPECT_EQ(clock.raw(kStart + ms(31'500)), kStart + ms(1500));
}

TEST(LocalClock, raw_time_goes_on_in_a_suspend) {
  LocalClock clock(start(), 0.001);
  clock.slept(kMono + ms(1001), ms(60'000));
  EXPECT_EQ(clock.local(kMono + ms(2002)).raw, kStart + ms(62'000));
  EXPECT_EQ(clock.unexplained({kMono + ms(2002), kStart + ms(62'002), ms(60'000)}), Duration());
}

TEST(LocalClock, a_step_that_it_was_not_told_of_shows) {
  LocalClock clock(start(), 0.05);
  EXPECT_EQ(clock.unexplained({kMono + ms(700), kStart + ms(700), {}}), Duration());
  EXPECT_EQ(clock.unexplained({kMono + ms(700), kStart + ms(500), {}}), ms(-200));
}

TEST(LocalClock, rounding_does_not_gather) {
  Prng prng(20261121);
  LocalClock clock(start(), 0);
  MonoTime now = kMono;
  long double raw = 0;
  double rate = 0;
  for (int i = 0; i < 100'000; ++i) {
    const auto span = static_cast<std::int64_t>(prng.below(2'000'000'000));
    raw += static_cast<long double>(span) / (1.0L + static_cast<long double>(rate));
    now = now + Duration::nanoseconds(span);
    rate = (static_cast<double>(prng.below(2001)) - 1000) * 1e-7;
    clock.rate_changed(now, rate);
  }
  const Duration expected = Duration::nanoseconds(std::llround(raw));
  EXPECT_LE((clock.local(now).raw - (kStart + expected)).abs(), Duration::nanoseconds(20));
}

TEST(LocalClock, there_and_back_is_the_same_within_a_nanosecond) {
  Prng prng(20261122);
  LocalClock clock(start(), 0);
  MonoTime now = kMono;
  for (int i = 0; i < 1000; ++i) {
    now = now + Duration::nanoseconds(static_cast<std::int64_t>(prng.below(3'000'000'000)));
    clock.rate_changed(now, (static_cast<double>(prng.below(2001)) - 1000) * 1e-4);
    const LocalTime there =
        clock.local(now - Duration::milliseconds(static_cast<std::int64_t>(prng.below(5000))));
    EXPECT_LE((clock.mono(there.raw) - there.mono).abs(), Duration::nanoseconds(1)) << i;
    EXPECT_LE((clock.raw(clock.system(there.raw)) - there.raw).abs(), Duration::nanoseconds(1));
  }
}

}  // namespace
}  // namespace timepool::ntp
