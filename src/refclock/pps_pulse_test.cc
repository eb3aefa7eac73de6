#include "refclock/pps_pulse.h"

#include <gtest/gtest.h>

#include <limits>

namespace timepool::refclock {
namespace {

using ntp::RefclockReason;

pps_kinfo record(std::uint32_t sequence, std::int64_t sec, std::int32_t width_ns) {
  pps_kinfo out{};
  out.assert_sequence = sequence;
  out.assert_tu = {sec, 1000, 0};
  out.clear_sequence = sequence;
  out.clear_tu = {sec, 1000 + width_ns, 0};
  return out;
}

TEST(PpsPulse, the_first_record_may_be_old_and_is_only_looked_at) {
  PpsPulse pulse(PulseEdge::kAssert, Duration());
  EXPECT_EQ(pulse.look(record(5, 100, 50)).reason, RefclockReason::kNothingNew);
  EXPECT_EQ(pulse.look(record(5, 100, 50)).reason, RefclockReason::kNothingNew);
  const Look look = pulse.look(record(6, 101, 50));
  ASSERT_EQ(look.reason, RefclockReason::kAccepted);
  EXPECT_TRUE(look.reading.pulse);
  EXPECT_EQ(look.reading.local, UnixTime::from_seconds(101) + Duration::microseconds(1));
  EXPECT_EQ(pulse.look(record(6, 101, 50)).reason, RefclockReason::kNothingNew);
}

// RFC 2783 3.2: sequence numbers wrap.
TEST(PpsPulse, the_sequence_number_may_wrap) {
  PpsPulse pulse(PulseEdge::kAssert, Duration());
  static_cast<void>(pulse.look(record(std::numeric_limits<std::uint32_t>::max(), 1, 5)));
  EXPECT_EQ(pulse.look(record(0, 2, 5)).reason, RefclockReason::kAccepted);
}

TEST(PpsPulse, takes_the_clear_edge_when_told_to) {
  PpsPulse pulse(PulseEdge::kClear, Duration());
  static_cast<void>(pulse.look(record(1, 10, 500)));
  const Look look = pulse.look(record(2, 11, 500));
  ASSERT_EQ(look.reason, RefclockReason::kAccepted);
  EXPECT_EQ(look.reading.local, UnixTime::from_seconds(11) + Duration::nanoseconds(1500));
}

TEST(PpsPulse, a_pulse_shorter_than_the_least_width_is_refused_once) {
  PpsPulse pulse(PulseEdge::kAssert, Duration::microseconds(10));
  static_cast<void>(pulse.look(record(1, 10, 20'000)));
  EXPECT_EQ(pulse.look(record(2, 11, 9'999)).reason, RefclockReason::kNarrowPulse);
  EXPECT_EQ(pulse.look(record(2, 11, 9'999)).reason, RefclockReason::kNothingNew);
  EXPECT_EQ(pulse.look(record(3, 12, 10'000)).reason, RefclockReason::kAccepted);
}

TEST(PpsPulse, the_width_is_judged_when_the_pulse_is_over) {
  PpsPulse pulse(PulseEdge::kAssert, Duration::microseconds(10));
  static_cast<void>(pulse.look(record(1, 10, 20'000)));
  pps_kinfo going_on = record(1, 10, 20'000);
  going_on.assert_sequence = 2;
  going_on.assert_tu.sec = 11;
  EXPECT_EQ(pulse.look(going_on).reason, RefclockReason::kNothingNew);
  EXPECT_EQ(pulse.look(record(2, 11, 20'000)).reason, RefclockReason::kAccepted);
}

}  // namespace
}  // namespace timepool::refclock
