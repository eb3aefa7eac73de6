#include "ntp/poll_schedule.h"

#include <gtest/gtest.h>

namespace timepool::ntp {
namespace {

const MonoTime kStart = MonoTime::from_ns(1'000'000'000'000);

class PollScheduleTest : public testing::Test {
 protected:
  // Sends when due; the time until the one after.
  Duration step(PollSchedule& schedule) {
    now_ = std::max(now_, schedule.next());
    schedule.sent(now_, random_);
    return schedule.next() - now_;
  }
  MonoTime now_ = kStart;
  RandomStream random_{SiphashKey{5, 6}};
};

TEST_F(PollScheduleTest, a_burst_asks_every_two_seconds_and_ends_after_four_good_answers) {
  PollSchedule schedule({6, 10, true}, kStart);
  for (int i = 0; i < 4; ++i) {
    EXPECT_LE(step(schedule), Duration::seconds(2));
    schedule.accepted(now_, true, random_);
  }
  EXPECT_FALSE(schedule.in_burst());
  EXPECT_GE(schedule.next() - now_, Duration::seconds(60));
}

TEST_F(PollScheduleTest, a_burst_without_answers_ends_after_eight_requests) {
  PollSchedule schedule({6, 10, true}, kStart);
  for (int i = 0; i < 7; ++i) EXPECT_LE(step(schedule), Duration::seconds(2));
  EXPECT_GE(step(schedule), Duration::seconds(60));
}

TEST_F(PollScheduleTest, without_a_burst_the_interval_is_the_poll_within_a_sixteenth) {
  PollSchedule schedule({6, 6, false}, kStart);
  for (int i = 0; i < 100; ++i) {
    const Duration interval = step(schedule);
    EXPECT_GE(interval, Duration::seconds(60));
    EXPECT_LE(interval, Duration::seconds(68));
  }
}

TEST_F(PollScheduleTest, polls_below_a_second_are_possible) {
  PollSchedule schedule({-3, -3, true}, kStart);
  for (int i = 0; i < 12; ++i) EXPECT_LE(step(schedule), Duration::milliseconds(133));
}

TEST_F(PollScheduleTest, fitting_samples_lengthen_the_interval_and_others_shorten_it) {
  PollSchedule schedule({6, 7, false}, kStart);
  for (int i = 0; i < 40; ++i) schedule.accepted(now_, true, random_);
  EXPECT_EQ(schedule.poll(), 7);
  for (int i = 0; i < 40; ++i) schedule.accepted(now_, false, random_);
  EXPECT_EQ(schedule.poll(), 6);
}

TEST_F(PollScheduleTest, F10_a_miss_brings_the_next_request_forward) {
  PollSchedule schedule({10, 10, false}, kStart);
  EXPECT_GE(step(schedule), Duration::seconds(960));
  schedule.missed(now_, 1, random_);
  EXPECT_GE(schedule.next() - now_, Duration::seconds(3));
  EXPECT_LE(schedule.next() - now_, Duration::seconds(5));
  static_cast<void>(step(schedule));
  schedule.missed(now_, 5, random_);
  EXPECT_GE(schedule.next() - now_, Duration::seconds(12));
}

TEST_F(PollScheduleTest, eight_misses_in_a_row_take_104_seconds_at_the_most) {
  const Duration timeout = Duration::seconds(2);
  for (int run = 0; run < 200; ++run) {
    PollSchedule schedule({10, 10, false}, now_);
    static_cast<void>(step(schedule));
    const MonoTime first = now_ + timeout;
    for (std::uint32_t miss = 1; miss < 8; ++miss) {
      now_ = now_ + timeout;
      schedule.missed(now_, miss, random_);
      static_cast<void>(step(schedule));
    }
    EXPECT_LE(now_ + timeout - first, Duration::seconds(104));
    EXPECT_GE(now_ + timeout - first, Duration::seconds(68));
  }
}

TEST_F(PollScheduleTest, a_server_that_stays_silent_is_asked_at_the_interval_again) {
  PollSchedule schedule({8, 8, false}, kStart);
  static_cast<void>(step(schedule));
  Duration last;
  for (std::uint32_t miss = 1; miss < 14; ++miss) {
    schedule.missed(now_, miss, random_);
    last = step(schedule);
  }
  EXPECT_GE(last, Duration::seconds(240));
}

TEST_F(PollScheduleTest, B30_rate_slows_by_one_step_ends_the_burst_and_decays) {
  PollSchedule schedule({6, 10, true}, kStart);
  static_cast<void>(step(schedule));
  schedule.rate_limited(now_, random_);
  EXPECT_EQ(schedule.poll(), 7);
  EXPECT_FALSE(schedule.in_burst());
  EXPECT_GE(schedule.next() - now_, Duration::seconds(120));
  // No probing of a server that asked for peace.
  schedule.missed(now_, 1, random_);
  EXPECT_GE(schedule.next() - now_, Duration::seconds(120));
  // Unfitting samples want it faster; that is granted once the kiss has decayed.
  for (int i = 0; i < 7; ++i) schedule.accepted(now_, false, random_);
  EXPECT_EQ(schedule.poll(), 7);
  for (int i = 0; i < 7; ++i) schedule.accepted(now_, false, random_);
  EXPECT_EQ(schedule.poll(), 6);
}

TEST_F(PollScheduleTest, B30_rate_never_goes_above_13_or_maxpoll) {
  PollSchedule to_maxpoll({6, 8, false}, kStart);
  PollSchedule to_13({6, 16, false}, kStart);
  PollSchedule slower({15, 16, false}, kStart);
  for (int i = 0; i < 20; ++i) {
    to_maxpoll.rate_limited(now_, random_);
    to_13.rate_limited(now_, random_);
    slower.rate_limited(now_, random_);
  }
  EXPECT_EQ(to_maxpoll.poll(), 8);
  EXPECT_EQ(to_13.poll(), 13);
  EXPECT_EQ(slower.poll(), 15);
}

}  // namespace
}  // namespace timepool::ntp
