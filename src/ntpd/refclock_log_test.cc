#include "ntpd/refclock_log.h"

#include <gtest/gtest.h>

namespace timepool::ntpd {
namespace {

const UnixTime kStart = *parse_utc("2027-03-01T12:00:00Z");

// A reference clock beside a system clock that somebody steps: what is logged is against the system
// clock as it read then, what is measured is not.
class RefclockLogTest : public ::testing::Test {
 protected:
  ntp::ClockReading at(double seconds) const {
    const Duration span = Duration::from_seconds(seconds);
    return {MonoTime::from_ns(3'000'000'000) + span, kStart + span + stepped_, {}};
  }
  void start(const ntp::RefclockConfig& config) {
    id_ = keeper_.sources().add_refclock(config, at(0).mono).value();
  }
  static ntp::RefclockConfig settings() {
    ntp::RefclockConfig out;
    out.name = "GPS";
    out.offset = Duration::milliseconds(50);
    return out;
  }
  // Its record. The poll that ends then is ended.
  RefclockRecord read(double seconds, Duration offset, bool pulse = false) {
    ntp::RefclockReading reading;
    reading.local = at(seconds).system;
    reading.offset = offset;
    reading.pulse = pulse;
    reading.dispersion = Duration::microseconds(2);
    const ntp::RefclockReason reason = keeper_.handle_refclock(id_, ntp::RefclockReason::kAccepted,
                                                               reading, at(seconds + 0.01), out_);
    const RefclockRecord record = reading_record(keeper_, clock(), reading, reason);
    keeper_.handle_timer(at(seconds + 0.02), random_, out_);
    return record;
  }
  const ntp::Refclock& clock() const { return *keeper_.sources().refclocks().at(0).second; }

  Duration stepped_;
  ntp::ObservedClock observed_;
  ntp::Timekeeper keeper_{{}, observed_, at(0)};
  ntp::RandomStream random_{SiphashKey{1, 2}};
  ntp::Outbox out_;
  ntp::AssociationId id_ = 0;
};

TEST_F(RefclockLogTest, a_reading_has_the_drivers_offset_and_the_one_that_is_used) {
  start(settings());
  const RefclockRecord got = read(1, Duration::milliseconds(200));
  EXPECT_EQ(got.name, "GPS");
  EXPECT_EQ(got.at, kStart + Duration::seconds(1));
  EXPECT_EQ(got.raw, Duration::milliseconds(200));
  EXPECT_EQ(got.offset, Duration::milliseconds(250));
  EXPECT_EQ(got.readings, 1U);
  EXPECT_EQ(got.dispersion, Duration::microseconds(3));
  EXPECT_FALSE(got.pulse);
  EXPECT_EQ(read(2, Duration::milliseconds(200)).readings, 2U);
}

TEST_F(RefclockLogTest, a_reading_that_is_refused_has_no_offset_that_is_used) {
  start(settings());
  read(1, Duration());
  const RefclockRecord got = read(1, Duration::milliseconds(200));
  EXPECT_EQ(got.reason, ntp::RefclockReason::kDuplicate);
  EXPECT_EQ(got.raw, Duration::milliseconds(200));
  EXPECT_FALSE(got.offset.has_value());
  EXPECT_EQ(got.readings, 0U);
}

TEST_F(RefclockLogTest, a_pulse_is_measured_from_the_nearest_second) {
  start(settings());
  EXPECT_EQ(read(0.999, Duration(), true).raw, Duration::milliseconds(1));
  const RefclockRecord late = read(2.25, Duration(), true);
  EXPECT_TRUE(late.pulse);
  EXPECT_EQ(late.raw, Duration::milliseconds(-250));
  EXPECT_EQ(late.reason, ntp::RefclockReason::kNoSecond);
}

TEST_F(RefclockLogTest, a_pulse_is_measured_from_the_nearest_part_of_a_second) {
  ntp::RefclockConfig config = settings();
  config.rate = 5;
  config.pulses = true;
  start(config);
  EXPECT_EQ(read(2.25, Duration()).raw, Duration::milliseconds(-50));
}

TEST_F(RefclockLogTest, offsets_are_against_the_system_clock_also_after_a_step) {
  start(settings());
  for (int i = 1; i < 6; ++i) read(i, Duration::milliseconds(200));
  const RefclockRecord before = sample_record(keeper_, clock());
  EXPECT_TRUE(before.sample);
  EXPECT_EQ(before.offset, Duration::milliseconds(250));
  EXPECT_GE(before.readings, 4U);
  EXPECT_FALSE(before.raw.has_value());
  stepped_ = Duration::seconds(5);
  RefclockRecord last;
  for (int i = 6; i < 40; ++i) last = read(i, Duration::milliseconds(200) - stepped_);
  EXPECT_EQ(last.at, kStart + Duration::seconds(39 + 5));
  EXPECT_EQ(last.offset, Duration::milliseconds(250) - stepped_);
  const RefclockRecord after = sample_record(keeper_, clock());
  EXPECT_EQ(after.offset, Duration::milliseconds(250) - stepped_);
  EXPECT_GT(after.at, kStart + Duration::seconds(25 + 5));
}

}  // namespace
}  // namespace timepool::ntpd
