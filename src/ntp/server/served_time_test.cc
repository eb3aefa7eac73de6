#include "ntp/server/served_time.h"

#include <gtest/gtest.h>

namespace timepool::ntp {
namespace {

const UnixTime kMidnight = UnixTime::from_seconds(1'483'228'800);  // 2017-01-01
const MonoTime kMono = MonoTime::from_ns(77'000'000'000);

Duration ms(std::int64_t count) {
  return Duration::milliseconds(count);
}

// Made ten seconds before the leap: half a second behind, and falling back.
ServedShift shift_with(Duration step) {
  ServedShift out;
  out.from = kMidnight - Duration::seconds(10);
  out.offset = ms(-500);
  out.rate = -1e-5;
  out.knee = out.from + Duration::seconds(3600);
  out.rate_after_knee = -1e-5;
  out.step = step;
  out.step_at = step < Duration() ? kMidnight : kMidnight - Duration::seconds(1);
  out.wall = wall_of(out.from, kMono);
  return out;
}

// The clocks `since` the shift was made, when the system clock has been stepped or not.
struct Clocks {
  UnixTime system;
  MonoTime mono;
};
Clocks clocks(const ServedShift& shift, Duration since, bool stepped) {
  return {shift.from + since + (stepped ? shift.step : Duration()), kMono + since};
}

TEST(ServedShift, is_a_line_with_a_knee) {
  ServedShift shift;
  shift.from = kMidnight;
  shift.offset = ms(1);
  shift.rate = 1e-6;
  shift.knee = kMidnight + Duration::seconds(10);
  shift.rate_after_knee = -1e-6;
  EXPECT_EQ(shift.at(kMidnight + Duration::seconds(4)), ms(1) + Duration::microseconds(4));
  EXPECT_EQ(shift.at(kMidnight + Duration::seconds(20)), ms(1));
  EXPECT_EQ(shift.at(kMidnight - Duration::seconds(1)), ms(1) - Duration::microseconds(1));
}

TEST(ServedTime, without_a_shift_the_system_clock_is_served) {
  EXPECT_TRUE(ServedShift().none());
  EXPECT_EQ(ServedTime().received({}, kMidnight), kMidnight);
  EXPECT_EQ(ServedTime().sent({}, kMidnight), kMidnight);
}

TEST(ServedTime, goes_on_evenly_while_the_system_clock_reads_a_second_twice) {
  const ServedShift shift = shift_with(Duration::seconds(-1));
  ServedTime served;
  UnixTime last = shift.from - Duration::seconds(1);
  for (Duration since = ms(9000); since <= ms(12'000); since += ms(50)) {
    const bool stepped = since >= ms(10'000);
    const Clocks now = clocks(shift, since, stepped);
    served.look(shift, now.system, now.mono);
    const UnixTime sent = served.sent(shift, now.system);
    EXPECT_EQ(sent, shift.from + since + shift.at(shift.from + since)) << format(since);
    EXPECT_GT(sent, last);
    last = sent;
  }
}

TEST(ServedTime, what_arrived_before_the_step_is_told_so_after_it) {
  const ServedShift shift = shift_with(Duration::seconds(-1));
  ServedTime served;
  const Clocks now = clocks(shift, ms(10'030), true);
  served.look(shift, now.system, now.mono);
  for (const Duration age : {ms(10), ms(29), ms(31), ms(400), ms(950)}) {
    const bool after = age < ms(30);
    const Clocks then = clocks(shift, ms(10'030) - age, after);
    EXPECT_EQ(served.received(shift, then.system),
              shift.from + ms(10'030) - age + shift.at(shift.from + ms(10'030) - age))
        << format(age);
  }
}

TEST(ServedTime, a_step_within_a_batch_is_noticed) {
  const ServedShift shift = shift_with(Duration::seconds(-1));
  ServedTime served;
  const Clocks before = clocks(shift, ms(9'999), false);
  served.look(shift, before.system, before.mono);
  const Clocks after = clocks(shift, ms(10'002), true);
  EXPECT_EQ(served.received(shift, before.system), before.system + shift.at(before.system));
  EXPECT_EQ(served.sent(shift, after.system),
            shift.from + ms(10'002) + shift.at(shift.from + ms(10'002)));
}

TEST(ServedTime, a_time_of_leaving_that_is_told_after_the_step_is_from_before_it) {
  for (const Duration step : {Duration::seconds(-1), Duration::seconds(1)}) {
    const ServedShift shift = shift_with(step);
    const Duration leap = shift.step_at - shift.from;
    ServedTime served;
    const Clocks now = clocks(shift, leap + ms(40), true);
    served.look(shift, now.system, now.mono);
    const Clocks left = clocks(shift, leap - ms(1), false);
    EXPECT_EQ(served.sent(shift, left.system), left.system + shift.at(left.system));
    const Clocks later = clocks(shift, leap + ms(240), true);
    const UnixTime line = shift.from + leap + ms(240);
    EXPECT_EQ(served.sent(shift, later.system), line + shift.at(line));
  }
}

TEST(ServedTime, a_deleted_second_is_not_served_either) {
  const ServedShift shift = shift_with(Duration::seconds(1));
  ServedTime served;
  // It is stepped forward at 23:59:59, nine seconds on.
  const Clocks before = clocks(shift, ms(8'999), false);
  const Clocks after = clocks(shift, ms(9'003), true);
  served.look(shift, after.system, after.mono);
  EXPECT_EQ(served.sent(shift, after.system),
            shift.from + ms(9'003) + shift.at(shift.from + ms(9'003)));
  EXPECT_EQ(served.received(shift, before.system), before.system + shift.at(before.system));
  served.look(shift, before.system, before.mono);
  EXPECT_EQ(served.sent(shift, after.system),
            shift.from + ms(9'003) + shift.at(shift.from + ms(9'003)));
}

TEST(ServedTime, a_clock_that_is_not_stepped_goes_on_past_the_leap) {
  const ServedShift shift = shift_with(Duration::seconds(-1));
  ServedTime served;
  const Clocks now = clocks(shift, ms(10'400), false);
  served.look(shift, now.system, now.mono);
  EXPECT_EQ(served.sent(shift, now.system), now.system + shift.at(now.system));
}

}  // namespace
}  // namespace timepool::ntp
