#include "ntp/leap_passage.h"

#include <gtest/gtest.h>

namespace timepool::ntp {
namespace {

using Verdict = LeapPassage::Verdict;

const UnixTime kMidnight = *parse_utc("2027-01-01T00:00:00Z");
const LeapSecond kInsert{kMidnight, 1};
const LeapSecond kDelete{kMidnight, -1};

Duration ms(std::int64_t count) {
  return Duration::milliseconds(count);
}

LeapNearness near(int seconds_after, int step) {
  return {true, false, Duration::seconds(seconds_after), Duration::seconds(step)};
}

TEST(LeapFold, a_server_that_is_late_is_moved_to_our_side) {
  EXPECT_EQ(leap_fold(ms(1003), near(60, -1)), ms(-1000));
  EXPECT_EQ(leap_fold(ms(-1003), near(60, 1)), ms(1000));
}

TEST(LeapFold, a_server_that_is_early_is_moved_back) {
  EXPECT_EQ(leap_fold(ms(-990), near(-60, -1)), ms(1000));
  EXPECT_EQ(leap_fold(ms(990), near(-60, 1)), ms(-1000));
}

TEST(LeapFold, nothing_else_is_touched) {
  for (const int after : {-60, 0, 60}) {
    EXPECT_EQ(leap_fold(ms(5), near(after, -1)), Duration());
    EXPECT_EQ(leap_fold(ms(500), near(after, -1)), Duration());
    EXPECT_EQ(leap_fold(ms(-500), near(after, -1)), Duration());
    EXPECT_EQ(leap_fold(ms(2000), near(after, -1)), Duration());
  }
  // Off by a second the other way: nobody has applied a leap that way round.
  EXPECT_EQ(leap_fold(ms(-1000), near(60, -1)), Duration());
  EXPECT_EQ(leap_fold(ms(1000), near(-60, -1)), Duration());
  EXPECT_EQ(leap_fold(ms(1000), LeapNearness()), Duration());
}

TEST(LeapPassage, is_due_at_midnight_or_a_second_before_by_our_clock) {
  LeapPassage passage;
  EXPECT_EQ(passage.due(), std::nullopt);
  passage.plan(kInsert, ms(3));
  EXPECT_EQ(passage.due(), kMidnight);
  passage.plan(kDelete, ms(3));
  EXPECT_EQ(passage.due(), kMidnight - Duration::seconds(1));
  passage.plan({}, ms(3));
  EXPECT_EQ(passage.due(), std::nullopt);
}

TEST(LeapPassage, of_a_clock_that_is_far_off_true_time_decides) {
  LeapPassage passage;
  passage.plan(kInsert, Duration::seconds(100));
  EXPECT_EQ(passage.due(), kMidnight - Duration::seconds(100));
  EXPECT_FALSE(passage.for_kernel(LeapMode::kKernel));
  EXPECT_EQ(passage.judge(*passage.due(), {}, LeapMode::kKernel, true), Verdict::kLeave);
  EXPECT_EQ(passage.judge(*passage.due(), {}, LeapMode::kStep, true), Verdict::kLeave);
}

TEST(LeapPassage, the_kernel_is_waited_for_and_stood_in_for) {
  LeapPassage passage;
  passage.plan(kInsert, ms(3));
  EXPECT_TRUE(passage.for_kernel(LeapMode::kKernel));
  EXPECT_FALSE(passage.for_kernel(LeapMode::kStep));
  const auto judge = [&](Duration after, Duration stepped) {
    return passage.judge(kMidnight + after, stepped, LeapMode::kKernel, true);
  };
  EXPECT_EQ(judge(ms(-1), {}), Verdict::kNothing);
  EXPECT_EQ(judge(ms(-1), ms(-1000)), Verdict::kNothing);
  EXPECT_EQ(judge(ms(0), {}), Verdict::kWait);
  EXPECT_EQ(judge(ms(4), ms(-1000)), Verdict::kDone);
  EXPECT_EQ(judge(ms(2000), {}), Verdict::kStep);
}

TEST(LeapPassage, each_mode_does_its_own) {
  LeapPassage passage;
  passage.plan(kDelete, ms(3));
  const UnixTime due = kMidnight - Duration::seconds(1);
  EXPECT_EQ(passage.judge(due, {}, LeapMode::kStep, true), Verdict::kStep);
  EXPECT_EQ(passage.judge(due, {}, LeapMode::kSlew, true), Verdict::kLeave);
  // Who only observes waits for whoever steers the clock to do it.
  EXPECT_EQ(passage.judge(due, {}, LeapMode::kStep, false), Verdict::kWait);
  EXPECT_EQ(passage.judge(due + ms(10), ms(1000), LeapMode::kStep, false), Verdict::kDone);
  EXPECT_EQ(passage.judge(due + ms(2000), {}, LeapMode::kStep, false), Verdict::kLeave);
}

TEST(LeapPassage, samples_are_near_it_a_quarter_of_an_hour_before_and_after) {
  LeapPassage passage;
  EXPECT_FALSE(passage.nearness(kMidnight).near);
  passage.plan(kInsert, ms(3));
  EXPECT_FALSE(passage.nearness(kMidnight - Duration::seconds(901)).near);
  EXPECT_TRUE(passage.nearness(kMidnight - Duration::seconds(900)).near);
  EXPECT_FALSE(passage.nearness(kMidnight - Duration::seconds(6)).dead);
  EXPECT_TRUE(passage.nearness(kMidnight - Duration::seconds(5)).dead);
  passage.passed();
  EXPECT_EQ(passage.due(), std::nullopt);
  // The repeated second: UTC reads a second before midnight again.
  EXPECT_EQ(passage.nearness(kMidnight - Duration::seconds(1)).after, Duration());
  EXPECT_EQ(passage.nearness(kMidnight).after, Duration::seconds(1));
  EXPECT_TRUE(passage.nearness(kMidnight + Duration::seconds(4)).dead);
  EXPECT_FALSE(passage.nearness(kMidnight + Duration::seconds(5)).dead);
  EXPECT_TRUE(passage.nearness(kMidnight + Duration::seconds(899)).near);
  EXPECT_FALSE(passage.nearness(kMidnight + Duration::seconds(900)).near);
}

}  // namespace
}  // namespace timepool::ntp
