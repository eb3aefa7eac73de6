#include "ntp/selection.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <vector>

namespace timepool::ntp {
namespace {

Candidate candidate(double offset_ms, double distance_ms, std::uint8_t stratum = 2) {
  return {Duration::from_seconds(offset_ms / 1e3), Duration::from_seconds(distance_ms / 1e3),
          stratum, false};
}

TEST(Selection, nobody_is_nothing) {
  EXPECT_FALSE(select({}, 0, 1).found);
}

TEST(Selection, one_source_is_believed_when_one_is_enough) {
  const std::vector<Candidate> one{candidate(5, 10)};
  const Selection got = select(one, 0, 1);
  ASSERT_TRUE(got.found);
  EXPECT_EQ(got.offset, Duration::milliseconds(5));
  EXPECT_EQ(got.uncertainty, Duration::milliseconds(10));
  EXPECT_EQ(got.status[0], CandidateStatus::kSelected);
  EXPECT_FALSE(select(one, 0, 2).found);
}

TEST(Selection, B4_a_liar_among_four_is_named) {
  const std::vector<Candidate> four{candidate(1, 5), candidate(400, 5), candidate(-1, 5),
                                    candidate(2, 6)};
  const Selection got = select(four, 0, 1);
  ASSERT_TRUE(got.found);
  EXPECT_EQ(got.survivors, 3u);
  EXPECT_EQ(got.status[1], CandidateStatus::kFalseticker);
  EXPECT_LT(got.offset.abs(), Duration::milliseconds(3));
}

TEST(Selection, two_that_disagree_leave_nobody_to_believe) {
  const std::vector<Candidate> two{candidate(0, 5), candidate(100, 5)};
  const Selection got = select(two, 0, 1);
  EXPECT_FALSE(got.found);
  EXPECT_EQ(got.status[0], CandidateStatus::kNoMajority);
}

TEST(Selection, the_first_to_answer_does_not_decide_while_others_may_still_answer) {
  const std::vector<Candidate> one{candidate(400, 5)};
  EXPECT_FALSE(select(one, 3, 1).found);
  EXPECT_TRUE(select(one, 0, 1).found);
  const std::vector<Candidate> three{candidate(0, 5), candidate(1, 5), candidate(400, 5)};
  EXPECT_FALSE(select(three, 1, 1).found);
}

TEST(Selection, intervals_that_touch_agree) {
  EXPECT_TRUE(select(std::vector<Candidate>{candidate(0, 5), candidate(10, 5)}, 0, 1).found);
}

TEST(Selection, a_distant_source_agrees_but_is_not_combined) {
  const std::vector<Candidate> two{candidate(0, 1), candidate(9, 20)};
  const Selection got = select(two, 0, 1);
  EXPECT_EQ(got.status[1], CandidateStatus::kNotCombined);
  EXPECT_EQ(got.offset, Duration());
}

TEST(Selection, the_nearer_source_weighs_more) {
  const std::vector<Candidate> two{candidate(0, 1), candidate(1, 2)};
  const Selection got = select(two, 0, 1);
  EXPECT_NEAR(got.offset.to_seconds(), 1e-3 / 3, 1e-8);
}

TEST(Selection, the_selected_source_stays_until_another_is_clearly_better) {
  std::vector<Candidate> two{candidate(0, 10), candidate(0, 9)};
  two[0].was_selected = true;
  EXPECT_EQ(select(two, 0, 1).selected, 0u);
  two[1].distance = Duration::milliseconds(3);
  EXPECT_EQ(select(two, 0, 1).selected, 1u);
}

TEST(Selection, a_lower_stratum_is_preferred_among_equals) {
  const std::vector<Candidate> two{candidate(0, 10, 3), candidate(0, 10, 1)};
  EXPECT_EQ(select(two, 0, 1).selected, 1u);
}

RC_GTEST_PROP(Selection, the_truth_is_within_the_uncertainty_while_a_majority_is_honest,
              (std::uint16_t seed)) {
  static_cast<void>(seed);
  const double truth = *rc::gen::inRange(-100000, 100000) / 1e3;
  const auto n = *rc::gen::inRange<std::size_t>(1, 12);
  const auto liars = *rc::gen::inRange<std::size_t>(0, (n - 1) / 2 + 1);
  std::vector<Candidate> all;
  for (std::size_t i = 0; i < n; ++i) {
    const double distance = *rc::gen::inRange(1, 20000) / 1e3;
    const double error = i < liars ? *rc::gen::inRange(-100000, 100000) / 1e3
                                   : distance * (*rc::gen::inRange(-1000, 1001)) / 1e3;
    all.push_back(candidate(truth + error, distance));
  }
  const Selection got = select(all, 0, 1);
  RC_ASSERT(got.found);
  const Duration error = got.offset - Duration::from_seconds(truth / 1e3);
  RC_ASSERT(error.abs() <= got.uncertainty + Duration::nanoseconds(10));
}

RC_GTEST_PROP(Selection, any_candidates_get_a_status_each, (std::uint16_t seed)) {
  static_cast<void>(seed);
  const auto n = *rc::gen::inRange<std::size_t>(0, kMaxCandidates + 1);
  std::vector<Candidate> all;
  for (std::size_t i = 0; i < n; ++i) {
    Candidate one;
    one.offset = Duration::nanoseconds(*rc::gen::arbitrary<std::int64_t>());
    one.distance = Duration::nanoseconds(*rc::gen::inRange<std::int64_t>(1, 1'000'000'000'000));
    all.push_back(one);
  }
  const Selection got = select(all, 0, 1);
  RC_ASSERT(got.status.size() == n);
  std::size_t selected = 0;
  for (const CandidateStatus status : got.status) {
    selected += status == CandidateStatus::kSelected ? 1u : 0u;
  }
  RC_ASSERT(selected == (got.found ? 1u : 0u));
}

}  // namespace
}  // namespace timepool::ntp
