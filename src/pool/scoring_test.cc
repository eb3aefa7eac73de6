#include "pool/scoring.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <cmath>
#include <vector>

namespace timepool::pool {
namespace {

const ScoreSettings kPool;

Sample answer(double offset, double rtt = 0.02, std::uint8_t stratum = 2) {
  return {SampleError::kNone, KissCode::kOther, offset, rtt, stratum, 0};
}
Sample fault(SampleError error, KissCode kiss = KissCode::kOther) {
  return {error, kiss, 0, 0, 0, 0};
}
Step step_for(const Sample& sample) {
  const std::vector<Sample> samples{sample};
  return step_of(summarise(samples), kPool);
}
double steady_state(const Sample& sample) {
  double raw = 0;
  for (int i = 0; i < 1000; ++i) raw = next_score(raw, step_for(sample), kPool);
  return raw;
}

TEST(Scoring, steps_of_the_pools_table) {
  EXPECT_EQ(step_for(answer(0)).value, 1);
  EXPECT_EQ(step_for(answer(0.025)).value, 1);
  EXPECT_EQ(step_for(answer(-0.0250001)).value, 1);
  EXPECT_NEAR(step_for(answer(0.050)).value, 0.8337, 1e-3);
  EXPECT_NEAR(step_for(answer(-0.100)).value, 0.5, 1e-3);
  EXPECT_NEAR(step_for(answer(0.200)).value, 0.2694, 1e-3);
  EXPECT_NEAR(step_for(answer(0.750)).value, -1, 1e-3);
  EXPECT_EQ(step_for(answer(0.751)).value, -2);
  EXPECT_EQ(step_for(answer(-3)).value, -2);
  EXPECT_EQ(step_for(answer(3.001)).value, -4);
  EXPECT_EQ(step_for(answer(3.001)).cap, -20);
  EXPECT_EQ(step_for(answer(0, 0.02, 7)).value, 1);
  EXPECT_EQ(step_for(answer(0, 0.02, 8)).value, -4);
  EXPECT_EQ(step_for(fault(SampleError::kTimeout)).value, -5);
  EXPECT_EQ(step_for(fault(SampleError::kUnreachable)).value, -4);
  EXPECT_EQ(step_for(fault(SampleError::kBogus)).value, -4);
  EXPECT_EQ(step_for(fault(SampleError::kKissOfDeath, KissCode::kRate)).value, -3.5);
  EXPECT_EQ(step_for(fault(SampleError::kKissOfDeath, KissCode::kDeny)).value, -10);
  EXPECT_EQ(step_for(fault(SampleError::kKissOfDeath, KissCode::kRestrict)).cap, -50);
  EXPECT_EQ(step_for(fault(SampleError::kKissOfDeath)).value, -2);
  EXPECT_EQ(step_for(fault(SampleError::kKissOfDeath)).cap, 5);
  EXPECT_EQ(step_for(answer(0, 0.02, 0)).reason, StepReason::kKiss);
  EXPECT_EQ(step_for(answer(std::nan(""))).reason, StepReason::kError);
}

TEST(Scoring, steady_states_are_twenty_steps) {
  EXPECT_NEAR(steady_state(answer(0)), 20, 1e-6);
  EXPECT_NEAR(steady_state(answer(0.050)), 16.7, 0.05);
  EXPECT_NEAR(steady_state(answer(0.100)), 10.0, 0.05);
  EXPECT_NEAR(steady_state(answer(0.200)), 5.4, 0.05);
  EXPECT_NEAR(steady_state(answer(0.500)), -8.5, 0.05);
  EXPECT_NEAR(steady_state(fault(SampleError::kTimeout)), -100, 1e-6);
  EXPECT_NEAR(steady_state(fault(SampleError::kKissOfDeath, KissCode::kDeny)), -200, 1e-6);
}

TEST(Scoring, fourteen_good_checks_reach_ten_and_two_timeouts_lose_it) {
  double raw = 0;
  for (int i = 0; i < 13; ++i) raw = next_score(raw, step_for(answer(0)), kPool);
  EXPECT_LT(raw, 10);
  raw = next_score(raw, step_for(answer(0)), kPool);
  EXPECT_GE(raw, 10);
  raw = next_score(20, step_for(fault(SampleError::kTimeout)), kPool);
  EXPECT_NEAR(raw, 14, 1e-9);
  raw = next_score(raw, step_for(fault(SampleError::kTimeout)), kPool);
  EXPECT_NEAR(raw, 8.3, 1e-9);
}

TEST(Scoring, a_cap_takes_effect_at_once) {
  EXPECT_EQ(next_score(20, step_for(answer(10)), kPool), -20);
  EXPECT_EQ(next_score(20, step_for(fault(SampleError::kKissOfDeath, KissCode::kDeny)), kPool),
            -50);
  EXPECT_EQ(next_score(20, step_for(answer(0, 0.02, 0)), kPool), 5);
}

TEST(Scoring, best_sample_is_the_quickest_answer_and_loss_is_counted) {
  const std::vector<Sample> samples{answer(0.5, 0.3), fault(SampleError::kTimeout),
                                    answer(0.01, 0.02)};
  const CheckSummary check = summarise(samples);
  EXPECT_EQ(check.best.offset_s, 0.01);
  EXPECT_EQ(check.samples, 3u);
  EXPECT_EQ(check.lost, 1u);
}

TEST(Scoring, a_kiss_of_death_decides_the_check) {
  const std::vector<Sample> samples{answer(0), fault(SampleError::kKissOfDeath, KissCode::kRate),
                                    answer(0)};
  EXPECT_EQ(step_of(summarise(samples), kPool).reason, StepReason::kRate);
}

TEST(Scoring, no_samples_is_a_timeout) {
  EXPECT_EQ(step_of(summarise({}), kPool).reason, StepReason::kTimeout);
}

RC_GTEST_PROP(Scoring, score_stays_within_its_bounds, (const std::vector<int>& kinds)) {
  double raw = 0;
  for (const int kind : kinds) {
    const auto pick = static_cast<unsigned>(kind) % 8;
    Sample sample = answer(kind * 1e-4);
    if (pick < 5) sample = fault(static_cast<SampleError>(pick), static_cast<KissCode>(pick % 4));
    raw = next_score(raw, step_for(sample), kPool);
    RC_ASSERT(raw <= 20.0);
    RC_ASSERT(raw >= -200.0);
  }
}

RC_GTEST_PROP(Scoring, a_worse_offset_never_scores_better, ()) {
  const double a = *rc::gen::inRange(0, 5'000'000) * 1e-6;
  const double b = *rc::gen::inRange(0, 5'000'000) * 1e-6;
  // The table has its steps' rounding at the joints: 0.5003 against 0.5002.
  RC_ASSERT(step_for(answer(std::min(a, b))).value >=
            step_for(answer(std::max(a, b))).value - 1e-3);
  RC_ASSERT(step_for(answer(a)).value == step_for(answer(-a)).value);
}

constexpr UnixTime kNow = UnixTime::from_seconds(1'800'000'000);

MonitorScore seen(double score, int age_s, MonitorRole role = MonitorRole::kActive,
                  std::optional<double> rtt = 0.02) {
  return {role, kNow - Duration::seconds(age_s), score, rtt};
}

TEST(RecentMedian, takes_the_lower_median_of_active_monitors) {
  const std::vector<MonitorScore> odd{seen(20, 1), seen(-5, 2), seen(10, 3)};
  EXPECT_EQ(recent_median(odd, kNow, kPool), 10);
  const std::vector<MonitorScore> even{seen(20, 1), seen(-5, 2), seen(10, 3), seen(15, 4)};
  EXPECT_EQ(recent_median(even, kNow, kPool), 10);
}

TEST(RecentMedian, takes_the_oldest_of_fewer_than_three) {
  const std::vector<MonitorScore> two{seen(20, 1), seen(-5, 700)};
  EXPECT_EQ(recent_median(two, kNow, kPool), -5);
}

TEST(RecentMedian, widens_the_window_by_role) {
  const std::vector<MonitorScore> scores{seen(1, 1201), seen(2, 2000, MonitorRole::kTesting),
                                         seen(3, 7000, MonitorRole::kCandidate)};
  EXPECT_EQ(recent_median(scores, kNow, kPool), 2);
  const std::vector<MonitorScore> late{seen(1, 2701), seen(2, 2701, MonitorRole::kTesting),
                                       seen(3, 7200, MonitorRole::kCandidate)};
  EXPECT_EQ(recent_median(late, kNow, kPool), 3);
  EXPECT_EQ(recent_median(std::vector<MonitorScore>{seen(1, 7300)}, kNow, kPool), std::nullopt);
  EXPECT_EQ(recent_median({}, kNow, kPool), std::nullopt);
}

RC_GTEST_PROP(RecentMedian, is_one_of_the_scores_and_no_minority_moves_it, ()) {
  const auto values = *rc::gen::container<std::vector<int>>(rc::gen::inRange(-100, 20));
  std::vector<MonitorScore> scores;
  for (std::size_t i = 0; i < values.size(); ++i) {
    scores.push_back(seen(values[i], static_cast<int>(i) % 1000));
  }
  const std::optional<double> median = recent_median(scores, kNow, kPool);
  RC_ASSERT(median.has_value() == !scores.empty());
  if (scores.size() < 3) return;
  const auto at_most =
      std::count_if(values.begin(), values.end(), [&](int v) { return v <= *median; });
  const auto at_least =
      std::count_if(values.begin(), values.end(), [&](int v) { return v >= *median; });
  RC_ASSERT(static_cast<std::size_t>(at_most) * 2 >= values.size());
  RC_ASSERT(static_cast<std::size_t>(at_least) * 2 > values.size());
}

}  // namespace
}  // namespace timepool::pool
