#include "ntp/poll_schedule.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace timepool::ntp {
namespace {

const MonoTime kStart = MonoTime::from_ns(1'000'000'000'000);
constexpr double kFits = 0.125;
constexpr double kUnfit = -0.5;

PollConfig polls(int minpoll, int maxpoll, bool iburst) {
  PollConfig out;
  out.minpoll = static_cast<std::int8_t>(minpoll);
  out.maxpoll = static_cast<std::int8_t>(maxpoll);
  out.iburst = iburst;
  return out;
}

class PollScheduleTest : public testing::Test {
 protected:
  // Sends when due; the time until the one after.
  Duration step(PollSchedule& schedule) {
    now_ = std::max(now_, schedule.next());
    schedule.sent(now_, random_);
    return schedule.next() - now_;
  }
  Duration wait(const PollSchedule& schedule) const { return schedule.next() - now_; }
  MonoTime now_ = kStart;
  RandomStream random_{SiphashKey{5, 6}};
};

TEST_F(PollScheduleTest, a_burst_asks_every_two_seconds_and_ends_after_four_good_answers) {
  PollSchedule schedule(polls(6, 10, true), kStart);
  for (int i = 0; i < 4; ++i) {
    EXPECT_LE(step(schedule), Duration::seconds(2));
    schedule.accepted(now_, kFits, random_);
  }
  EXPECT_FALSE(schedule.in_burst());
  EXPECT_GE(wait(schedule), Duration::seconds(60));
}

TEST_F(PollScheduleTest, what_a_burst_leaves_over_follows_at_doubling_gaps) {
  PollSchedule schedule(polls(6, 10, true), kStart);
  for (int i = 0; i < 4; ++i) {
    EXPECT_LE(step(schedule), Duration::seconds(2));
    schedule.accepted(now_, 0, random_);
  }
  EXPECT_FALSE(schedule.in_burst());
  for (const int gap : {4, 8, 16, 32, 64, 64}) {
    EXPECT_NEAR(wait(schedule).to_seconds(), gap, gap / 15.0);
    static_cast<void>(step(schedule));
    schedule.accepted(now_, 0, random_);
  }
}

TEST_F(PollScheduleTest, a_start_asks_eight_times_at_the_most_before_the_regular_interval) {
  PollSchedule schedule(polls(6, 10, true), kStart);
  for (int i = 0; i < 6; ++i) {
    EXPECT_LE(step(schedule), Duration::seconds(2));
    if (i >= 2) schedule.accepted(now_, 0, random_);
  }
  // Two are left over.
  for (const int gap : {4, 8, 64}) {
    EXPECT_NEAR(wait(schedule).to_seconds(), gap, gap / 15.0);
    static_cast<void>(step(schedule));
    schedule.accepted(now_, 0, random_);
  }
}

TEST_F(PollScheduleTest, nothing_follows_the_burst_when_the_frequency_is_known) {
  PollSchedule schedule(polls(6, 10, true), kStart);
  for (int i = 0; i < 4; ++i) {
    static_cast<void>(step(schedule));
    schedule.accepted(now_, i < 3 ? 0 : kFits, random_);
  }
  EXPECT_GE(wait(schedule), Duration::seconds(60));
}

TEST_F(PollScheduleTest, nothing_follows_a_burst_that_a_rate_kiss_ends) {
  PollSchedule schedule(polls(6, 10, true), kStart);
  for (int i = 0; i < 4; ++i) {
    static_cast<void>(step(schedule));
    schedule.accepted(now_, 0, random_);
  }
  schedule.rate_limited(now_, random_);
  for (int i = 0; i < 3; ++i) EXPECT_GE(step(schedule), Duration::seconds(120));
}

TEST_F(PollScheduleTest, a_burst_without_answers_ends_after_eight_requests) {
  PollSchedule schedule(polls(6, 10, true), kStart);
  for (int i = 0; i < 7; ++i) EXPECT_LE(step(schedule), Duration::seconds(2));
  EXPECT_GE(step(schedule), Duration::seconds(60));
}

TEST_F(PollScheduleTest, a_burst_on_request_ends_after_its_own_counts) {
  PollSchedule schedule(polls(6, 10, false), kStart);
  static_cast<void>(step(schedule));
  ASSERT_TRUE(schedule.begin_burst(now_, {2, 3}));
  EXPECT_EQ(schedule.next(), now_);
  for (int i = 0; i < 2; ++i) EXPECT_EQ(step(schedule), Duration::seconds(2));
  EXPECT_GE(step(schedule), Duration::seconds(60));
  ASSERT_TRUE(schedule.begin_burst(now_, {2, 3}));
  static_cast<void>(step(schedule));
  schedule.accepted(now_, kFits, random_);
  static_cast<void>(step(schedule));
  schedule.accepted(now_, kFits, random_);
  EXPECT_FALSE(schedule.in_burst());
  EXPECT_FALSE(schedule.begin_burst(now_, {0, 3}));
}

TEST_F(PollScheduleTest, a_burst_is_never_longer_than_the_limit) {
  PollSchedule schedule(polls(6, 10, false), kStart);
  ASSERT_TRUE(schedule.begin_burst(now_, {1'000'000, 1'000'000}));
  int requests = 0;
  while (schedule.in_burst()) {
    static_cast<void>(step(schedule));
    ++requests;
  }
  EXPECT_EQ(requests, kMaxBurst);
}

TEST_F(PollScheduleTest, without_a_burst_the_interval_is_the_poll_within_a_sixteenth) {
  PollSchedule schedule(polls(6, 6, false), kStart);
  for (int i = 0; i < 100; ++i) {
    const Duration interval = step(schedule);
    EXPECT_GE(interval, Duration::seconds(60));
    EXPECT_LE(interval, Duration::seconds(68));
  }
}

TEST_F(PollScheduleTest, only_near_servers_are_asked_more_than_once_a_second) {
  PollSchedule schedule(polls(-6, -6, false), kStart);
  EXPECT_GE(step(schedule), Duration::milliseconds(937));
  EXPECT_EQ(schedule.poll(), 0);
  schedule.measured_delay(kNearDelay - Duration::nanoseconds(1));
  EXPECT_LE(step(schedule), Duration::milliseconds(17));
  EXPECT_EQ(schedule.poll(), -6);
  // A few slow replies are the network's; eight in a row are the distance.
  for (int i = 0; i < 7; ++i) schedule.measured_delay(kNearDelay);
  EXPECT_EQ(schedule.poll(), -6);
  schedule.measured_delay(kNearDelay);
  EXPECT_EQ(schedule.poll(), 0);
}

TEST_F(PollScheduleTest, bursts_of_near_servers_keep_the_shorter_interval) {
  PollSchedule schedule(polls(-3, -3, true), kStart);
  schedule.measured_delay(Duration::microseconds(50));
  for (int i = 0; i < 12; ++i) EXPECT_LE(step(schedule), Duration::milliseconds(133));
}

TEST_F(PollScheduleTest, fitting_samples_lengthen_the_interval_and_others_shorten_it) {
  PollSchedule schedule(polls(6, 7, false), kStart);
  for (int i = 0; i < 40; ++i) schedule.accepted(now_, kFits, random_);
  EXPECT_EQ(schedule.poll(), 7);
  for (int i = 0; i < 40; ++i) schedule.accepted(now_, kUnfit, random_);
  EXPECT_EQ(schedule.poll(), 6);
}

TEST_F(PollScheduleTest, F10_a_miss_brings_the_next_request_forward) {
  PollSchedule schedule(polls(10, 10, false), kStart);
  EXPECT_GE(step(schedule), Duration::seconds(960));
  schedule.missed(now_, 1, random_);
  EXPECT_GE(wait(schedule), Duration::seconds(3));
  EXPECT_LE(wait(schedule), Duration::seconds(5));
  static_cast<void>(step(schedule));
  schedule.missed(now_, 5, random_);
  EXPECT_GE(wait(schedule), Duration::seconds(12));
}

TEST_F(PollScheduleTest, an_answer_that_came_late_calls_off_the_probe) {
  PollSchedule schedule(polls(10, 10, false), kStart);
  const Duration regular = step(schedule);
  const MonoTime due = schedule.next();
  schedule.missed(now_, 1, random_);
  EXPECT_LE(wait(schedule), Duration::seconds(5));
  schedule.answered();
  EXPECT_EQ(schedule.next(), due);
  EXPECT_GE(regular, Duration::seconds(960));
}

TEST_F(PollScheduleTest, eight_misses_in_a_row_take_104_seconds_at_the_most) {
  const Duration timeout = Duration::seconds(2);
  for (int run = 0; run < 200; ++run) {
    PollSchedule schedule(polls(10, 10, false), now_);
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
  PollSchedule schedule(polls(8, 8, false), kStart);
  static_cast<void>(step(schedule));
  Duration last;
  for (std::uint32_t miss = 1; miss < 14; ++miss) {
    schedule.missed(now_, miss, random_);
    last = step(schedule);
  }
  EXPECT_GE(last, Duration::seconds(240));
}

TEST_F(PollScheduleTest, with_burst_a_poll_in_vain_becomes_four_requests_but_once) {
  PollConfig config = polls(6, 10, false);
  config.burst = true;
  PollSchedule schedule(config, kStart);
  for (int i = 0; i < 24; ++i) schedule.accepted(now_, kFits, random_);
  ASSERT_EQ(schedule.poll(), 9);
  static_cast<void>(step(schedule));
  schedule.unusable(now_);
  EXPECT_EQ(wait(schedule), Duration::seconds(2));
  EXPECT_EQ(step(schedule), Duration::seconds(2));
  EXPECT_EQ(step(schedule), Duration::seconds(2));
  EXPECT_GE(step(schedule), Duration::seconds(480));
  schedule.unusable(now_);
  EXPECT_GE(wait(schedule), Duration::seconds(480));
}

TEST_F(PollScheduleTest, with_burst_probes_after_misses_bring_no_further_burst) {
  PollConfig config = polls(6, 10, false);
  config.burst = true;
  PollSchedule schedule(config, kStart);
  for (int i = 0; i < 24; ++i) schedule.accepted(now_, kFits, random_);
  int close = 0;
  MonoTime last = now_ - Duration::seconds(1000);
  for (std::uint32_t miss = 1; miss < 12; ++miss) {
    static_cast<void>(step(schedule));
    if (now_ - last <= Duration::seconds(2)) ++close;
    last = now_;
    schedule.missed(now_, miss, random_);
  }
  EXPECT_EQ(close, 3);
}

TEST_F(PollScheduleTest, with_burst_the_first_good_answer_is_enough) {
  PollConfig config = polls(6, 10, false);
  config.burst = true;
  PollSchedule schedule(config, kStart);
  for (int i = 0; i < 24; ++i) schedule.accepted(now_, kFits, random_);
  static_cast<void>(step(schedule));
  schedule.unusable(now_);
  static_cast<void>(step(schedule));
  schedule.accepted(now_, kFits, random_);
  EXPECT_FALSE(schedule.in_burst());
}

TEST_F(PollScheduleTest, with_burst_the_mean_is_never_above_the_minimum_interval) {
  PollConfig config = polls(6, 10, false);
  config.burst = true;
  PollSchedule schedule(config, kStart);
  int requests = 0;
  // It answers, and never usably: at minpoll there is no room for a burst.
  while (now_ - kStart < Duration::seconds(64'000)) {
    static_cast<void>(step(schedule));
    ++requests;
    schedule.unusable(now_);
  }
  EXPECT_LE(requests, 1'000 * 17 / 16);
}

TEST_F(PollScheduleTest, presend_warms_up_two_seconds_before_a_long_interval_ends) {
  PollConfig config = polls(6, 10, false);
  config.presend = 7;
  PollSchedule schedule(config, kStart);
  EXPECT_TRUE(schedule.request_due(now_));
  static_cast<void>(step(schedule));
  now_ = schedule.next();
  EXPECT_TRUE(schedule.request_due(now_));  // a poll of 6: nothing in advance
  for (int i = 0; i < 8; ++i) schedule.accepted(now_, kFits, random_);
  ASSERT_EQ(schedule.poll(), 7);
  const Duration first = step(schedule);
  now_ = schedule.next();
  EXPECT_TRUE(schedule.warm_up_due(now_));
  EXPECT_FALSE(schedule.request_due(now_));
  schedule.warmed_up();
  EXPECT_EQ(wait(schedule), kWarmUpLead);
  EXPECT_GE(first, Duration::seconds(118));
  now_ = schedule.next();
  EXPECT_TRUE(schedule.request_due(now_));
  EXPECT_FALSE(schedule.warm_up_due(now_));
}

TEST_F(PollScheduleTest, offline_asks_nothing_and_online_asks_at_once) {
  PollSchedule schedule(polls(6, 10, true), kStart);
  static_cast<void>(step(schedule));
  schedule.set_online(false, now_);
  EXPECT_EQ(schedule.next(), MonoTime::max());
  EXPECT_FALSE(schedule.request_due(now_ + Duration::seconds(1'000'000)));
  EXPECT_FALSE(schedule.begin_burst(now_, {}));
  schedule.set_online(true, now_);
  EXPECT_LE(schedule.next(), now_);
  EXPECT_TRUE(schedule.in_burst());
}

TEST_F(PollScheduleTest, may_start_offline) {
  PollConfig config = polls(6, 10, true);
  config.online = false;
  const PollSchedule schedule(config, kStart);
  EXPECT_EQ(schedule.next(), MonoTime::max());
}

TEST_F(PollScheduleTest, B30_rate_slows_by_one_step_ends_the_burst_and_decays) {
  PollSchedule schedule(polls(6, 10, true), kStart);
  static_cast<void>(step(schedule));
  schedule.rate_limited(now_, random_);
  EXPECT_EQ(schedule.poll(), 7);
  EXPECT_FALSE(schedule.in_burst());
  EXPECT_GE(wait(schedule), Duration::seconds(120));
  // No probing of a server that asked for peace, and no burst.
  schedule.missed(now_, 1, random_);
  EXPECT_FALSE(schedule.begin_burst(now_, {}));
  schedule.set_online(false, now_);
  schedule.set_online(true, now_);
  EXPECT_GE(wait(schedule), Duration::seconds(120));
  // Unfitting samples want it faster; that is granted once the kiss has decayed.
  for (int i = 0; i < 7; ++i) schedule.accepted(now_, kUnfit, random_);
  EXPECT_EQ(schedule.poll(), 7);
  for (int i = 0; i < 7; ++i) schedule.accepted(now_, kUnfit, random_);
  EXPECT_EQ(schedule.poll(), 6);
}

TEST_F(PollScheduleTest, B30_rate_never_goes_above_13_or_maxpoll) {
  PollSchedule to_maxpoll(polls(6, 8, false), kStart);
  PollSchedule to_13(polls(6, 16, false), kStart);
  PollSchedule slower(polls(15, 16, false), kStart);
  PollSchedule below_a_second(polls(-6, -3, false), kStart);
  for (int i = 0; i < 20; ++i) {
    to_maxpoll.rate_limited(now_, random_);
    to_13.rate_limited(now_, random_);
    slower.rate_limited(now_, random_);
    below_a_second.rate_limited(now_, random_);
  }
  EXPECT_EQ(to_maxpoll.poll(), 8);
  EXPECT_EQ(to_13.poll(), 13);
  EXPECT_EQ(slower.poll(), 15);
  EXPECT_EQ(below_a_second.poll(), 0);
}

// Whatever happens: the polls stay in their range, and nothing is due while offline.
RC_GTEST_PROP(PollSchedule, any_history_stays_within_the_limits, ()) {
  PollConfig config;
  config.minpoll = *rc::gen::inRange<std::int8_t>(kLowestPoll, kHighestPoll + 1);
  config.maxpoll = *rc::gen::inRange<std::int8_t>(config.minpoll, kHighestPoll + 1);
  config.iburst = *rc::gen::arbitrary<bool>();
  config.burst = *rc::gen::arbitrary<bool>();
  PollSchedule schedule(config, kStart);
  RandomStream random(SiphashKey{1, 9});
  MonoTime now = kStart;
  for (const int what : *rc::gen::container<std::vector<int>>(rc::gen::inRange(0, 9))) {
    if (what == 0) schedule.missed(now, 1, random);
    if (what == 1) schedule.accepted(now, kFits, random);
    if (what == 2) schedule.accepted(now, kUnfit, random);
    if (what == 3) schedule.rate_limited(now, random);
    if (what == 4) schedule.set_online(!schedule.online(), now);
    if (what == 5) schedule.unusable(now);
    if (what == 6) static_cast<void>(schedule.begin_burst(now, {}));
    if (what == 7) schedule.measured_delay(Duration::milliseconds(1));
    if (schedule.online()) now = std::max(now, schedule.next());
    if (schedule.request_due(now)) schedule.sent(now, random);
    RC_ASSERT(schedule.poll() >= config.minpoll);
    RC_ASSERT(schedule.poll() <= std::max<int>(config.maxpoll, 0));
    RC_ASSERT(schedule.online() || schedule.next() == MonoTime::max());
  }
}

TEST_F(PollScheduleTest, is_no_slower_than_the_other_side_down_to_minpoll) {
  PollSchedule schedule(polls(4, 10, false), kStart);
  for (int i = 0; i < 200; ++i) {
    static_cast<void>(step(schedule));
    schedule.accepted(now_, 1, random_);
  }
  ASSERT_EQ(schedule.poll(), 10);
  schedule.no_slower_than(12);
  EXPECT_EQ(schedule.poll(), 10);
  schedule.no_slower_than(6);
  EXPECT_EQ(schedule.poll(), 6);
  EXPECT_LE(wait(schedule), Duration::seconds(64));
  EXPECT_EQ(schedule.least_interval(), Duration::seconds(60));
  schedule.no_slower_than(-6);
  EXPECT_EQ(schedule.poll(), 4);
}

}  // namespace
}  // namespace timepool::ntp
