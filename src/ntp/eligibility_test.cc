// Who has a vote, one test for each cause, and the policy about authentication.
#include "ntp/eligibility.h"

#include <gtest/gtest.h>

#include "ntp/selection_test_support.h"

namespace timepool::ntp {
namespace {

Cause cause_of(const Candidate& one, const SelectionConfig& config = {}) {
  const Selection got = select_of({one}, config);
  EXPECT_NE(got.agreement, Agreement::kFound) << name_of(got.causes[0]);
  return got.causes[0];
}

TEST(Eligibility, a_source_that_is_measured_only_is_never_used) {
  EXPECT_EQ(cause_of(with(candidate(0, 1), kNoselect)), Cause::kNoselect);
}

TEST(Eligibility, a_silent_source_has_no_vote) {
  EXPECT_EQ(cause_of(silent()), Cause::kUnreachable);
  EXPECT_EQ(cause_of(undecided()), Cause::kNoSamples);
  Candidate reachable = silent();
  reachable.reachable = true;
  EXPECT_EQ(cause_of(reachable), Cause::kNoSamples);
}

TEST(Eligibility, what_a_silent_source_said_is_no_source_itself) {
  EXPECT_EQ(cause_of(remembered(0, 1)), Cause::kRemembered);
  EXPECT_EQ(select_of({remembered(0, 1), remembered(0, 1)}).agreement, Agreement::kNobody);
  Candidate unsynchronised = remembered(0, 1);
  unsynchronised.synchronised = false;
  EXPECT_EQ(cause_of(unsynchronised), Cause::kUnsynchronised);
  EXPECT_EQ(cause_of(with(remembered(0, 1), kNoselect)), Cause::kNoselect);
}

TEST(Eligibility, a_server_that_says_that_it_has_no_time_is_left_at_once) {
  Candidate one = candidate(0, 1);
  one.synchronised = false;
  EXPECT_EQ(cause_of(one), Cause::kUnsynchronised);
}

TEST(Eligibility, ourselves_and_those_who_follow_us_have_no_vote) {
  Candidate one = candidate(0, 1);
  one.loop = Loop::kOurselves;
  EXPECT_EQ(cause_of(one), Cause::kOurselves);
  one.loop = Loop::kSynchronisedToUs;
  EXPECT_EQ(cause_of(one), Cause::kLoop);
}

TEST(Eligibility, strata_have_limits) {
  SelectionConfig config;
  config.min_stratum = 2;
  config.max_stratum = 4;
  EXPECT_EQ(cause_of(candidate(0, 1, 1), config), Cause::kStratum);
  EXPECT_EQ(cause_of(candidate(0, 1, 5), config), Cause::kStratum);
  EXPECT_TRUE(select_of({candidate(0, 1, 2)}, config).found());
  EXPECT_TRUE(select_of({candidate(0, 1, 4)}, config).found());
}

TEST(Eligibility, distance_and_jitter_have_limits) {
  SelectionConfig config;
  config.max_distance = Duration::milliseconds(10);
  config.max_jitter = Duration::milliseconds(2);
  EXPECT_EQ(cause_of(candidate(0, 11), config), Cause::kTooDistant);
  EXPECT_TRUE(select_of({candidate(0, 10)}, config).found());
  Candidate one = candidate(0, 1);
  one.jitter = Duration::milliseconds(3);
  EXPECT_EQ(cause_of(one, config), Cause::kTooVariable);
}

TEST(Eligibility, B17_a_source_that_smears_alone_has_no_vote) {
  Candidate one = candidate(0, 1);
  one.smear_differs = true;
  EXPECT_EQ(cause_of(one), Cause::kSmeared);
}

SelectionConfig with_auth(AuthSelection auth) {
  SelectionConfig out;
  out.auth = auth;
  return out;
}

TEST(Eligibility, with_auth_require_no_other_is_ever_used) {
  const SelectionConfig config = with_auth(AuthSelection::kRequire);
  const Selection got = select_of({candidate(0, 1), authenticated(candidate(1, 5))}, config);
  EXPECT_EQ(got.causes[0], Cause::kNotAuthentic);
  EXPECT_EQ(got.causes[1], Cause::kSelected);
  EXPECT_FALSE(select_of({candidate(0, 1)}, config).found());
}

TEST(Eligibility, with_auth_prefer_others_are_used_only_where_none_is_configured) {
  const SelectionConfig config = with_auth(AuthSelection::kPrefer);
  EXPECT_TRUE(select_of({candidate(0, 1)}, config).found());
  EXPECT_EQ(select_of({candidate(0, 1), authenticated(silent())}, config).causes[0],
            Cause::kNotAuthentic);
  Absent absent;
  absent.authenticated = true;
  EXPECT_EQ(select_of({candidate(0, 1)}, config, absent).causes[0], Cause::kNotAuthentic);
}

TEST(Eligibility, with_auth_mix_the_authenticated_are_trusted_and_required) {
  const SelectionConfig config = with_auth(AuthSelection::kMix);
  const Candidate proved = authenticated(candidate(0, 5));
  // Any number of others can't outvote the one.
  Selection got = select_of({candidate(90, 1), candidate(91, 1), candidate(90, 1), proved}, config);
  ASSERT_TRUE(got.found());
  EXPECT_EQ(got.selected, 3u);
  EXPECT_EQ(got.causes[0], Cause::kFalseticker);
  EXPECT_TRUE(got.options[3].trust && got.options[3].require);
  EXPECT_FALSE(got.options[0].trust || got.options[0].require);
  // Those who agree with it help.
  got = select_of({candidate(1, 1), proved}, config);
  EXPECT_EQ(got.selected, 0u);
  EXPECT_EQ(got.causes[1], Cause::kTooFarToCombine);
  // Without it there is no reference.
  got = select_of({candidate(0, 1), candidate(0, 1), authenticated(silent())}, config);
  EXPECT_EQ(got.agreement, Agreement::kNotRequired);
  Absent absent;
  absent.authenticated = true;
  got = select_of({candidate(0, 1), candidate(0, 1)}, config, absent);
  EXPECT_EQ(got.agreement, Agreement::kNotRequired);
}

TEST(Eligibility, with_auth_mix_a_reference_clock_counts_as_authenticated) {
  Candidate clock = candidate(0, 5);
  clock.refclock = true;
  const SelectionConfig config = with_auth(AuthSelection::kMix);
  Selection got = select_of({clock, candidate(1, 1), authenticated(candidate(2, 5))}, config);
  EXPECT_TRUE(got.options[0].trust);
  got = select_of({clock, candidate(1, 1)}, config);
  EXPECT_FALSE(got.options[0].trust) << "nobody is authenticated: nothing is mixed";
  EXPECT_EQ(select_of({clock}, with_auth(AuthSelection::kRequire)).causes[0], Cause::kSelected);
}

TEST(Eligibility, with_auth_mix_of_authenticated_ones_only_the_majority_decides) {
  const Selection got = select_of({authenticated(candidate(0, 1)), authenticated(candidate(1, 1)),
                                   authenticated(candidate(90, 1))});
  ASSERT_TRUE(got.found());
  EXPECT_FALSE(got.options[0].trust);
  EXPECT_EQ(got.causes[2], Cause::kFalseticker);
}

TEST(Eligibility, with_auth_ignore_all_are_equal) {
  const Selection got =
      select_of({candidate(90, 1), candidate(91, 1), authenticated(candidate(0, 5))},
                with_auth(AuthSelection::kIgnore));
  ASSERT_TRUE(got.found());
  EXPECT_EQ(got.causes[2], Cause::kFalseticker);
}

}  // namespace
}  // namespace timepool::ntp
