#include "sim/clock.h"

#include <gtest/gtest.h>

namespace timepool::sim {
namespace {

const UnixTime kStart = UnixTime::from_seconds(1'790'000'000);
const MonoTime kMono = MonoTime::from_ns(55);

TEST(SimClock, gains_by_its_frequency_error) {
  Clock clock({Duration::milliseconds(5), 10.0, 0}, kStart, kMono, Prng(1));
  const UnixTime later = kStart + Duration::seconds(1000);
  const ntp::ClockReading now = clock.read(later);
  EXPECT_EQ(now.system - later, Duration::milliseconds(15));
  EXPECT_EQ(now.mono - kMono, Duration::seconds(1000) + Duration::milliseconds(10));
  EXPECT_EQ(clock.true_offset(later), Duration::milliseconds(-15));
}

TEST(SimClock, a_step_moves_the_system_clock_only) {
  Clock clock({}, kStart, kMono, Prng(1));
  const ntp::ClockReading before = clock.read(kStart);
  clock.step(Duration::seconds(-30));
  const ntp::ClockReading after = clock.read(kStart);
  EXPECT_EQ(after.system - before.system, Duration::seconds(-30));
  EXPECT_EQ(after.mono, before.mono);
}

TEST(SimClock, wander_does_not_depend_on_how_often_it_is_read) {
  const ClockConfig config{{}, 5.0, 0.1};
  Clock often(config, kStart, kMono, Prng(7));
  Clock once(config, kStart, kMono, Prng(7));
  for (int ms = 0; ms < 100'000; ms += 333) {
    static_cast<void>(often.read(kStart + Duration::milliseconds(ms)));
  }
  const UnixTime end = kStart + Duration::seconds(100);
  EXPECT_EQ(often.read(end).system, once.read(end).system);
  Clock other(config, kStart, kMono, Prng(8));
  EXPECT_NE(other.read(end).system, once.read(end).system);
}

TEST(SimClock, tells_when_a_deadline_comes) {
  Clock clock({{}, -100.0, 0}, kStart, kMono, Prng(1));
  const MonoTime deadline = kMono + Duration::seconds(64);
  const UnixTime moment = clock.moment_of(deadline, kStart);
  EXPECT_GE(moment - kStart, Duration::seconds(64) + Duration::milliseconds(6));
  EXPECT_GE(clock.read(moment).mono, deadline - Duration::nanoseconds(1));
}

TEST(SimClock, a_rate_moves_both_clocks_from_its_moment_on) {
  Clock clock({{}, 100.0, 0}, kStart, kMono, Prng(1));
  const UnixTime moment = kStart + Duration::seconds(1000);
  clock.set_rate(-0.05, moment);
  const ntp::ClockReading before = clock.read(moment);
  EXPECT_EQ(before.system - moment, Duration::milliseconds(100));
  const ntp::ClockReading after = clock.read(moment + Duration::seconds(100));
  EXPECT_EQ(after.system - before.system, after.mono - before.mono);
  // 100.01 s of the oscillator at 0.95.
  EXPECT_EQ(after.system - before.system, Duration::nanoseconds(95'009'500'000));
  const UnixTime wake =
      clock.moment_of(after.mono + Duration::seconds(95), moment + Duration::seconds(100));
  EXPECT_LE((wake - (moment + Duration::seconds(200)) + Duration::milliseconds(10)).abs(),
            Duration::microseconds(2));
}

TEST(SimClock, mono_stands_still_in_a_suspend) {
  Clock clock({}, kStart, kMono, Prng(1));
  clock.suspend(Duration::seconds(50));
  const ntp::ClockReading now = clock.read(kStart + Duration::seconds(60));
  EXPECT_EQ(now.mono, kMono + Duration::seconds(10));
  EXPECT_EQ(now.system, kStart + Duration::seconds(60));
  EXPECT_EQ(now.suspended, Duration::seconds(50));
}

}  // namespace
}  // namespace timepool::sim
