#include "ntp/refclock_pulse.h"

#include <gtest/gtest.h>

#include "base/prng.h"

namespace timepool::ntp {
namespace {

UnixTime moment(double fraction) {
  return UnixTime::from_seconds(1'790'000'000) + Duration::from_seconds(fraction);
}

TEST(RefclockPulse, takes_the_second_that_the_reference_gives) {
  // The local clock is 3.2 s behind and a bit.
  const PulseReference reference{Duration::milliseconds(3190), Duration::milliseconds(50)};
  const PulseAlignment out = align_pulse(moment(0.8), 1, reference);
  EXPECT_EQ(out.reason, RefclockReason::kAccepted);
  EXPECT_EQ(out.offset, Duration::milliseconds(3200));
}

TEST(RefclockPulse, works_before_the_epoch_and_for_clocks_that_are_ahead) {
  const PulseReference reference{Duration::milliseconds(-2100), Duration::milliseconds(1)};
  const PulseAlignment out =
      align_pulse(UnixTime::from_seconds(-10) + Duration::milliseconds(100), 1, reference);
  EXPECT_EQ(out.reason, RefclockReason::kAccepted);
  EXPECT_EQ(out.offset, Duration::milliseconds(-2100));
}

TEST(RefclockPulse, refuses_what_could_begin_two_seconds) {
  const PulseReference reference{Duration(), Duration::microseconds(1)};
  EXPECT_EQ(align_pulse(moment(0.39), 1, reference).reason, RefclockReason::kAccepted);
  EXPECT_EQ(align_pulse(moment(0.41), 1, reference).reason, RefclockReason::kAmbiguous);
  EXPECT_EQ(align_pulse(moment(0.59), 1, reference).reason, RefclockReason::kAmbiguous);
  EXPECT_EQ(align_pulse(moment(0.61), 1, reference).reason, RefclockReason::kAccepted);
}

TEST(RefclockPulse, refuses_a_reference_that_is_too_vague) {
  const UnixTime pulse = moment(0.1);
  EXPECT_EQ(align_pulse(pulse, 1, {Duration(), Duration::milliseconds(399)}).reason,
            RefclockReason::kAccepted);
  EXPECT_EQ(align_pulse(pulse, 1, {Duration(), Duration::milliseconds(400)}).reason,
            RefclockReason::kAmbiguous);
}

TEST(RefclockPulse, several_pulses_a_second_begin_parts_of_it) {
  const PulseReference reference{Duration::milliseconds(10), Duration::milliseconds(20)};
  const PulseAlignment out = align_pulse(moment(0.395), 5, reference);
  EXPECT_EQ(out.reason, RefclockReason::kAccepted);
  EXPECT_EQ(out.offset, Duration::milliseconds(5));
  // With a rate that does not divide the second, the last part still ends with it.
  const PulseAlignment third = align_pulse(moment(1.0 - 1e-3), 3, {Duration(), Duration()});
  EXPECT_EQ(third.offset, Duration::milliseconds(1));
}

TEST(RefclockPulse, an_accepted_offset_always_puts_the_pulse_on_a_part) {
  Prng prng(42);
  for (int i = 0; i < 20'000; ++i) {
    const UnixTime local =
        UnixTime::from_ns(static_cast<std::int64_t>(prng.next() >> 2) - (std::int64_t{1} << 61));
    const int rate = 1 + static_cast<int>(prng.below(10));
    const PulseReference reference{
        Duration::nanoseconds(static_cast<std::int64_t>(prng.below(4'000'000'000)) - 2'000'000'000),
        Duration::nanoseconds(static_cast<std::int64_t>(prng.below(100'000'000)))};
    const PulseAlignment out = align_pulse(local, rate, reference);
    if (out.reason != RefclockReason::kAccepted) continue;
    EXPECT_LT((out.offset - reference.offset).abs(), Duration::milliseconds(400));
    const UnixTime truth = local + out.offset;
    const std::int64_t within = truth.ns() - truth.seconds() * 1'000'000'000;
    const std::int64_t scaled = within * rate % 1'000'000'000;
    EXPECT_TRUE(scaled <= rate || scaled >= 1'000'000'000 - rate) << within << " " << rate;
  }
}

TEST(RefclockReason, names_are_in_the_order_of_the_enum) {
  EXPECT_EQ(name_of(RefclockReason::kAccepted), "accepted");
  EXPECT_EQ(name_of(RefclockReason::kUnsynchronised), "unsynchronised");
  EXPECT_EQ(name_of(RefclockReason::kNarrowPulse), "narrow_pulse");
  EXPECT_EQ(name_of(RefclockReason::kDeviceFailed), "device_failed");
  EXPECT_EQ(static_cast<std::size_t>(RefclockReason::kDeviceFailed) + 1, kRefclockReasonCount);
}

}  // namespace
}  // namespace timepool::ntp
