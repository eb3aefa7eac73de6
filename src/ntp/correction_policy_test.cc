#include "ntp/correction_policy.h"

#include <gtest/gtest.h>

namespace timepool::ntp {
namespace {

const UnixTime kNow = UnixTime::from_seconds(1'790'000'000);

Duration s(std::int64_t n) {
  return Duration::seconds(n);
}
Correction off_by(Duration offset, std::size_t sources = 3) {
  return {offset, kNow, sources, 0};
}

TEST(CorrectionPolicy, steps_above_the_threshold_in_the_first_updates) {
  CorrectionRules rules;
  rules.step = {s(1), 3, 1};
  CorrectionPolicy policy(rules);
  EXPECT_EQ(policy.judge(off_by(s(-5)), 1), CorrectionVerdict::kStep);
  EXPECT_EQ(policy.judge(off_by(s(5)), 3), CorrectionVerdict::kStep);
  EXPECT_EQ(policy.judge(off_by(s(1)), 1), CorrectionVerdict::kSlew) << "not above";
  EXPECT_EQ(policy.judge(off_by(s(5)), 4), CorrectionVerdict::kSlew);
}

TEST(CorrectionPolicy, B26_a_step_may_need_more_sources) {
  CorrectionRules rules;
  rules.step = {s(1), -1, 3};
  CorrectionPolicy policy(rules);
  EXPECT_EQ(policy.judge(off_by(s(5), 2), 1), CorrectionVerdict::kSlew);
  EXPECT_EQ(policy.judge(off_by(s(5), 3), 1000), CorrectionVerdict::kStep);
}

TEST(CorrectionPolicy, B25_above_the_panic_threshold_nothing_is_corrected) {
  CorrectionRules rules;
  rules.step.limit = -1;
  CorrectionPolicy policy(rules);
  for (std::uint64_t update = 1; update < 100; ++update) {
    EXPECT_EQ(policy.judge(off_by(s(1001)), update), CorrectionVerdict::kPanic);
  }
  EXPECT_EQ(policy.judge(off_by(s(1000)), 100), CorrectionVerdict::kStep);
}

TEST(CorrectionPolicy, B25_the_first_start_passes_the_panic_threshold_once) {
  CorrectionRules rules;
  rules.first_start = true;
  CorrectionPolicy policy(rules);
  EXPECT_FALSE(policy.first_start_used());
  EXPECT_EQ(policy.judge(off_by(s(86'400)), 1), CorrectionVerdict::kStep);
  EXPECT_TRUE(policy.first_start_used());
  EXPECT_EQ(policy.judge(off_by(s(86'400)), 2), CorrectionVerdict::kPanic);
}

TEST(CorrectionPolicy, B25_the_allowance_of_the_first_start_lasts_while_it_is_slewed) {
  CorrectionRules rules;
  rules.first_start = true;
  rules.step.limit = 0;
  CorrectionPolicy policy(rules);
  EXPECT_EQ(policy.judge(off_by(s(2000)), 1), CorrectionVerdict::kSlew);
  EXPECT_EQ(policy.judge(off_by(s(1500)), 2), CorrectionVerdict::kSlew);
  EXPECT_EQ(policy.judge(off_by(s(900)), 3), CorrectionVerdict::kSlew);
  EXPECT_EQ(policy.judge(off_by(s(1500)), 4), CorrectionVerdict::kPanic);
}

TEST(CorrectionPolicy, B25_a_person_passes_the_panic_threshold_once) {
  CorrectionRules rules;
  rules.step.limit = 0;
  CorrectionPolicy policy(rules);
  EXPECT_EQ(policy.judge(off_by(s(5000)), 10), CorrectionVerdict::kPanic);
  policy.accept();
  EXPECT_EQ(policy.judge(off_by(s(5000)), 11), CorrectionVerdict::kStep);
  EXPECT_EQ(policy.judge(off_by(s(5000)), 12), CorrectionVerdict::kPanic);
}

TEST(CorrectionPolicy, B25_a_quorum_of_authenticated_sources_passes_the_panic_threshold) {
  CorrectionRules rules;
  rules.panic_quorum = 3;
  CorrectionPolicy policy(rules);
  Correction correction = off_by(s(5000), 5);
  correction.authenticated = 2;
  EXPECT_EQ(policy.judge(correction, 1), CorrectionVerdict::kPanic);
  correction.authenticated = 3;
  EXPECT_EQ(policy.judge(correction, 1), CorrectionVerdict::kStep);
}

TEST(CorrectionPolicy, B27_the_clock_is_never_set_before_the_build_date) {
  CorrectionRules rules;
  rules.step.limit = -1;
  rules.floor = kNow - s(10);
  CorrectionPolicy policy(rules);
  EXPECT_EQ(policy.judge(off_by(s(-11)), 1), CorrectionVerdict::kBeforeFloor);
  EXPECT_EQ(policy.judge(off_by(s(-9)), 1), CorrectionVerdict::kStep);
  policy.accept();
  EXPECT_EQ(policy.judge(off_by(s(-11)), 1), CorrectionVerdict::kBeforeFloor) << "nor by a person";
  Correction early = off_by(s(5));
  early.system = kNow - s(100);
  EXPECT_EQ(policy.judge(early, 1), CorrectionVerdict::kStep) << "forward is always right";
}

TEST(CorrectionPolicy, B27_a_clock_that_lost_its_time_may_go_forward_by_any_amount_once) {
  CorrectionRules rules;
  rules.last_good = kNow;
  CorrectionPolicy policy(rules);
  policy.clock_lost_its_time();
  EXPECT_EQ(policy.judge(off_by(s(-2000)), 1), CorrectionVerdict::kBeforeFloor);
  EXPECT_EQ(policy.judge(off_by(s(864'000)), 2), CorrectionVerdict::kStep);
  EXPECT_EQ(policy.judge(off_by(s(864'000)), 3), CorrectionVerdict::kPanic);
}

TEST(CorrectionPolicy, B27_not_before_the_last_good_time_but_by_a_person) {
  CorrectionRules rules;
  rules.last_good = kNow - s(10);
  CorrectionPolicy policy(rules);
  EXPECT_EQ(policy.judge(off_by(s(-11)), 1), CorrectionVerdict::kBeforeFloor);
  policy.accept();
  EXPECT_EQ(policy.judge(off_by(s(-11)), 2), CorrectionVerdict::kStep);
}

TEST(CorrectionPolicy, max_change_ignores_disturbances_and_then_gives_the_alarm) {
  CorrectionRules rules;
  rules.max_change = {s(2), 1, 2};
  CorrectionPolicy policy(rules);
  EXPECT_EQ(policy.judge(off_by(s(3)), 1), CorrectionVerdict::kStep) << "before `start`";
  EXPECT_EQ(policy.judge(off_by(s(3)), 2), CorrectionVerdict::kIgnored);
  EXPECT_EQ(policy.judge(off_by(s(3)), 3), CorrectionVerdict::kIgnored);
  EXPECT_EQ(policy.judge(off_by(s(3)), 4), CorrectionVerdict::kMaxChange);
  EXPECT_EQ(policy.judge(off_by(s(1)), 5), CorrectionVerdict::kSlew);
  EXPECT_EQ(policy.judge(off_by(s(3)), 6), CorrectionVerdict::kIgnored) << "counted anew";
}

}  // namespace
}  // namespace timepool::ntp
