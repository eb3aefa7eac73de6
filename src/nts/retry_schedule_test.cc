#include "nts/retry_schedule.h"

#include <gtest/gtest.h>

namespace timepool::nts {
namespace {

MonoTime at(std::int64_t seconds) {
  return MonoTime::from_ns(5'000'000'000) + Duration::seconds(seconds);
}

TEST(RetrySchedule, KEC7_intervals_are_those_of_the_rfc) {
  EXPECT_EQ(retry_interval(1), Duration::seconds(10));
  EXPECT_EQ(retry_interval(2), Duration::seconds(15));
  EXPECT_NEAR(retry_interval(10).to_seconds(), 384.4, 0.1);
  EXPECT_NEAR(retry_interval(15).to_seconds(), 2919, 1);
  EXPECT_NEAR(retry_interval(20).to_seconds(), 22168, 1);
  EXPECT_LT(retry_interval(27), kLongestRetry);
  EXPECT_EQ(retry_interval(28), kLongestRetry);
  EXPECT_EQ(retry_interval(4'000'000'000U), kLongestRetry);
}

TEST(RetrySchedule, jitter_makes_it_longer_only) {
  for (const double unit : {0.0, 0.5, 0.999}) {
    RetrySchedule schedule;
    schedule.began(at(0), unit);
    EXPECT_FALSE(schedule.allows(at(10) - Duration::nanoseconds(1)));
    EXPECT_TRUE(schedule.allows(at(13)));
  }
}

TEST(RetrySchedule, KEC7_an_establishment_alone_does_not_reset_it) {
  RetrySchedule schedule;
  schedule.began(at(0), 0);
  schedule.established();
  schedule.began(at(20), 0);
  schedule.authenticated(at(21));  // by cookies from before
  EXPECT_EQ(schedule.attempts(), 2U);
  schedule.established();
  schedule.authenticated(at(22));
  EXPECT_EQ(schedule.attempts(), 0U);
  EXPECT_TRUE(schedule.allows(at(22)));
}

TEST(RetrySchedule, KEC7_an_authenticated_answer_alone_does_not_reset_it) {
  RetrySchedule schedule;
  schedule.began(at(0), 0);
  schedule.authenticated(at(1));
  EXPECT_EQ(schedule.attempts(), 1U);
  EXPECT_FALSE(schedule.allows(at(1)));
}

TEST(RetrySchedule, what_was_not_sent_does_not_count) {
  RetrySchedule schedule;
  for (int i = 0; i < 100; ++i) {
    schedule.began(at(i * 10), 0);
    schedule.unsent();
  }
  EXPECT_EQ(schedule.attempts(), 0U);
  EXPECT_TRUE(schedule.allows(at(1000)));
  EXPECT_FALSE(schedule.allows(at(999)));
}

TEST(RetrySchedule, goes_on_where_it_was_saved) {
  const RetrySchedule schedule(3, at(20), at(0));
  EXPECT_FALSE(schedule.allows(at(19)));
  EXPECT_TRUE(schedule.allows(at(20)));
  EXPECT_EQ(schedule.attempts(), 3U);
}

TEST(RetrySchedule, a_saved_time_far_in_the_future_is_cut_to_the_rule) {
  const RetrySchedule schedule(1, at(1'000'000'000), at(0));
  EXPECT_TRUE(schedule.allows(at(13)));
}

TEST(EstablishmentBudget, allows_eight_at_once_and_one_in_two_seconds_after) {
  EstablishmentBudget budget;
  int count = 0;
  for (int i = 0; i < 100; ++i) count += budget.take(at(100)) ? 1 : 0;
  EXPECT_EQ(count, EstablishmentBudget::kBurst);
  EXPECT_EQ(budget.next(), at(102));
  for (int second = 101; second <= 200; ++second) count += budget.take(at(second)) ? 1 : 0;
  EXPECT_EQ(count, EstablishmentBudget::kBurst + 50);
}

TEST(EstablishmentBudget, fills_up_to_the_burst_and_no_farther) {
  EstablishmentBudget budget;
  for (int i = 0; i < 8; ++i) EXPECT_TRUE(budget.take(at(0)));
  int count = 0;
  for (int i = 0; i < 100; ++i) count += budget.take(at(100'000)) ? 1 : 0;
  EXPECT_EQ(count, EstablishmentBudget::kBurst);
}

}  // namespace
}  // namespace timepool::nts
