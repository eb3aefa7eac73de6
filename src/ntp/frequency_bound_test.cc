#include "ntp/frequency_bound.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <cmath>
#include <vector>

namespace timepool::ntp {
namespace {

constexpr double kPpm = 1e-6;

TEST(FrequencyBound, what_the_majority_allows_is_not_changed) {
  const std::vector<FrequencyClaim> claims{{10 * kPpm, 0.1 * kPpm}, {10.2 * kPpm, 0.2 * kPpm}};
  EXPECT_EQ(bounded_frequency(10.1 * kPpm, claims), 10.1 * kPpm);
  EXPECT_EQ(bounded_frequency(3.5, {}), 3.5);
}

TEST(FrequencyBound, two_of_five_who_drift_do_not_carry_it_away) {
  const std::vector<FrequencyClaim> claims{{10 * kPpm, 0.1 * kPpm},
                                           {10 * kPpm, 0.1 * kPpm},
                                           {10 * kPpm, 0.1 * kPpm},
                                           {30 * kPpm, 0.001 * kPpm},
                                           {30 * kPpm, 0.001 * kPpm}};
  EXPECT_NEAR(bounded_frequency(29 * kPpm, claims), 10.51 * kPpm, 1e-12);
}

TEST(FrequencyBound, where_nobody_agrees_the_claims_are_the_limits) {
  const std::vector<FrequencyClaim> claims{{-50 * kPpm, 0}, {0, 0}, {50 * kPpm, 0}};
  EXPECT_NEAR(bounded_frequency(80 * kPpm, claims), 50.01 * kPpm, 1e-12);
}

RC_GTEST_PROP(FrequencyBound, less_than_half_of_liars_keep_it_within_an_honest_claim, ()) {
  const auto n = *rc::gen::inRange<std::size_t>(1, 14);
  const auto liars = *rc::gen::inRange<std::size_t>(0, (n - 1) / 2 + 1);
  const double truth = *rc::gen::inRange(-500000, 500000) * 1e-9;
  std::vector<FrequencyClaim> claims;
  for (std::size_t i = 0; i < n - liars; ++i) {
    const double sd = *rc::gen::inRange(1, 10000) * 1e-9;
    claims.push_back({truth + sd * kFrequencyWidth * *rc::gen::inRange(-100, 101) / 100.0, sd});
  }
  for (std::size_t i = 0; i < liars; ++i) {
    claims.push_back(
        {*rc::gen::inRange(-1000000, 1000000) * 1e-9, *rc::gen::element(0.0, 1e-9, 1e-7, 1e-4)});
  }
  const double got = bounded_frequency(*rc::gen::inRange(-1000000, 1000000) * 1e-9, claims);
  bool held = false;
  for (std::size_t i = 0; i < n - liars; ++i) {
    const double width = claims[i].sd * kFrequencyWidth + kLeastFrequencyWidth;
    held = held || std::fabs(got - claims[i].frequency) <= width + 1e-14;
  }
  RC_ASSERT(held);
}

}  // namespace
}  // namespace timepool::ntp
