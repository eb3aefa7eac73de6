// Reference clocks as the Timekeeper sees them: by the system clock.
#include <gtest/gtest.h>

#include "ntp/timekeeper.h"

namespace timepool::ntp {
namespace {

const UnixTime kStart = *parse_utc("2027-03-01T12:00:00Z");

class TimekeeperWithRefclock : public ::testing::Test {
 protected:
  ClockReading at(double seconds) const {
    const Duration span = Duration::from_seconds(seconds);
    return {MonoTime::from_ns(3'000'000'000) + span, kStart + span + stepped_, {}};
  }
  AssociationId add(bool tai) {
    RefclockConfig config;
    config.name = "PHC";
    config.tai = tai;
    return *keeper_.sources().add_refclock(config, at(0).mono);
  }
  RefclockReason read(AssociationId id, double seconds, Duration offset) {
    RefclockReading reading;
    reading.local = at(seconds).system;
    reading.offset = offset;
    const auto reason =
        keeper_.handle_refclock(id, RefclockReason::kAccepted, reading, at(seconds + 0.01), out_);
    keeper_.handle_timer(at(seconds + 0.02), random_, out_);
    return reason;
  }

  Duration stepped_;
  ObservedClock clock_;
  Timekeeper keeper_{{}, clock_, at(0)};
  RandomStream random_{SiphashKey{1, 2}};
  Outbox out_;
};

TEST_F(TimekeeperWithRefclock, tai_is_taken_for_utc_by_the_leap_second_file) {
  const AssociationId id = add(true);
  EXPECT_EQ(read(id, 1, Duration::milliseconds(37'250)), RefclockReason::kNoTaiOffset);
  keeper_.leap().set_table(
      *LeapTable::parse("#$ 3960835200\n#@ 4086547200\n3692217600 37\n4031337600 38\n"));
  for (int i = 2; i < 10; ++i) {
    EXPECT_EQ(read(id, i, Duration::milliseconds(37'250)), RefclockReason::kAccepted);
  }
  ASSERT_TRUE(keeper_.sources().tracking(at(10).mono).synchronised);
  EXPECT_EQ(keeper_.tracking(at(10).mono).offset, Duration::milliseconds(250));
}

TEST_F(TimekeeperWithRefclock, readings_stay_true_when_somebody_steps_the_system_clock) {
  const AssociationId id = add(false);
  for (int i = 1; i < 8; ++i) read(id, i, Duration::milliseconds(300));
  stepped_ = Duration::seconds(5);
  for (int i = 8; i < 40; ++i) read(id, i, Duration::milliseconds(300) - stepped_);
  ASSERT_TRUE(keeper_.sources().tracking(at(40).mono).synchronised);
  // In raw time nothing has happened.
  const Tracking raw = keeper_.sources().tracking(at(40).mono);
  EXPECT_LT((raw.offset - Duration::milliseconds(300)).abs(), Duration::milliseconds(1));
  const Duration now = keeper_.tracking(at(40).mono).offset;
  EXPECT_LT((now - Duration::milliseconds(-4700)).abs(), Duration::milliseconds(1));
}

}  // namespace
}  // namespace timepool::ntp
