#include "ntp/selection.h"

#include <gtest/gtest.h>

#include <set>

#include "ntp/selection_test_support.h"

namespace timepool::ntp {
namespace {

SelectionConfig min_sources(std::size_t count) {
  SelectionConfig out;
  out.min_sources = count;
  return out;
}

TEST(Selection, nobody_is_nothing) {
  EXPECT_EQ(select_of({}).agreement, Agreement::kNobody);
  EXPECT_EQ(select_of({silent(), silent()}).agreement, Agreement::kNobody);
}

TEST(Selection, one_source_is_believed_when_one_is_enough) {
  const Selection got = select_of({candidate(5, 10)});
  ASSERT_TRUE(got.found());
  EXPECT_EQ(got.offset, Duration::milliseconds(5));
  EXPECT_EQ(got.uncertainty, Duration::milliseconds(10));
  EXPECT_EQ(got.causes[0], Cause::kSelected);
  const Selection too_few = select_of({candidate(5, 10)}, min_sources(2));
  EXPECT_EQ(too_few.agreement, Agreement::kTooFew);
  EXPECT_EQ(too_few.causes[0], Cause::kWaitsForOthers);
}

TEST(Selection, KEC9_unchecked_dates_need_a_quorum_of_authenticated_sources) {
  const auto unchecked = [](double offset_ms) {
    Candidate out = authenticated(candidate(offset_ms, 5));
    out.unchecked = true;
    return out;
  };
  const Selection two = select_of({unchecked(0), unchecked(1)});
  EXPECT_EQ(two.agreement, Agreement::kUnchecked);
  EXPECT_EQ(two.survivors, 0u);
  EXPECT_EQ(two.causes[0], Cause::kWaitsForOthers);
  EXPECT_TRUE(select_of({unchecked(0), unchecked(1), unchecked(2)}).found());
  EXPECT_FALSE(select_of({unchecked(0), unchecked(1), unchecked(400)}).found()) << "must agree";
  EXPECT_FALSE(select_of({unchecked(0), candidate(1, 5), candidate(2, 5)}).found())
      << "who forges one forges those without proof";
  EXPECT_TRUE(select_of({unchecked(0), authenticated(candidate(1, 5))}).found())
      << "one whose dates hold is enough where one is enough";
  EXPECT_EQ(select_of({unchecked(0), authenticated(candidate(1, 5))}, min_sources(2)).agreement,
            Agreement::kUnchecked);
  SelectionConfig config;
  config.unchecked_quorum = 2;
  EXPECT_TRUE(select_of({unchecked(0), unchecked(1)}, config).found());
  EXPECT_EQ(name_of(Agreement::kUnchecked), "unchecked");
}

TEST(Selection, B4_a_liar_among_four_is_named) {
  const Selection got =
      select_of({candidate(1, 5), candidate(400, 5), candidate(-1, 5), candidate(2, 6)});
  ASSERT_TRUE(got.found());
  EXPECT_EQ(got.survivors, 3u);
  EXPECT_EQ(got.causes[1], Cause::kFalseticker);
  EXPECT_LT(got.offset.abs(), Duration::milliseconds(3));
}

TEST(Selection, two_that_disagree_leave_nobody_to_believe) {
  const Selection got = select_of({candidate(0, 5), candidate(100, 5)});
  EXPECT_EQ(got.agreement, Agreement::kNoMajority);
  EXPECT_EQ(got.causes[0], Cause::kNoMajority);
}

TEST(Selection, the_first_to_answer_does_not_decide_while_others_may_still_answer) {
  const Candidate one = candidate(400, 5);
  const Selection waits = select_of({one, undecided(), undecided(), undecided()});
  EXPECT_EQ(waits.agreement, Agreement::kUndecided);
  EXPECT_EQ(waits.causes[0], Cause::kUndecided);
  EXPECT_EQ(waits.causes[1], Cause::kNoSamples);
  Absent absent;
  absent.undecided = 3;
  EXPECT_FALSE(select_of({one}, {}, absent).found());
  EXPECT_TRUE(select_of({one, silent(), silent()}).found());
  EXPECT_FALSE(select_of({candidate(0, 5), candidate(1, 5), one, undecided()}).found());
}

TEST(Selection, intervals_that_touch_agree) {
  EXPECT_TRUE(select_of({candidate(0, 5), candidate(10, 5)}).found());
}

TEST(Selection, a_distant_source_agrees_but_is_not_combined) {
  SelectionConfig config;
  Selection got = select_of({candidate(0, 1), candidate(9, 20)}, config);
  EXPECT_EQ(got.causes[1], Cause::kTooFarToCombine);
  EXPECT_EQ(got.offset, Duration());
  config.combine_limit = 20;
  got = select_of({candidate(0, 1), candidate(9, 20)}, config);
  EXPECT_EQ(got.causes[1], Cause::kCombined);
}

TEST(Selection, the_nearer_source_weighs_more) {
  const Selection got = select_of({candidate(0, 1), candidate(1, 2)});
  EXPECT_NEAR(got.offset.to_seconds(), 1e-3 / 3, 1e-8);
}

TEST(Selection, a_lower_stratum_is_selected_among_equals_as_far_as_it_weighs) {
  SelectionConfig config;
  EXPECT_EQ(select_of({candidate(0, 10, 3), candidate(0, 10, 1)}, config).selected, 1u);
  EXPECT_EQ(select_of({candidate(0, 10, 3), candidate(0, 13, 1)}, config).selected, 0u);
  config.stratum_weight = Duration::milliseconds(2);
  EXPECT_EQ(select_of({candidate(0, 10, 3), candidate(0, 13, 1)}, config).selected, 1u);
}

// Runs selections on until another is selected; how many it took, or 100.
int selections_until_change(std::vector<Candidate> all, bool news = true) {
  for (int i = 1; i < 100; ++i) {
    const Selection got = select_of(all);
    EXPECT_TRUE(got.found());
    if (!all[got.selected].was_selected) return i;
    for (std::size_t c = 0; c < all.size(); ++c) {
      all[c].score = got.scores[c];
      all[c].updated = news;
    }
  }
  return 100;
}

TEST(Selection, the_selected_source_stays_until_another_is_clearly_better_for_some_time) {
  std::vector<Candidate> two{candidate(0, 10, 0), candidate(0, 9.9, 0)};
  two[0].was_selected = true;
  EXPECT_EQ(selections_until_change(two), 100) << "reselect_distance makes up for it";
  two[1] = candidate(0, 4.9, 0);
  EXPECT_EQ(selections_until_change(two), 4) << "twice as good: 2^4 is above 10";
  two[1] = candidate(0, 7.9, 0);
  EXPECT_EQ(selections_until_change(two), 11) << "a quarter better: 1.25^11 is above 10";
  two[0].updated = two[1].updated = false;
  EXPECT_EQ(selections_until_change(two, false), 100) << "no news change nothing";
}

TEST(Selection, a_score_that_was_lost_is_to_be_gained_anew) {
  std::vector<Candidate> two{candidate(0, 10, 0), candidate(0, 4.9, 0)};
  two[0].was_selected = true;
  two[1].score = 8;
  Selection got = select_of(two);
  EXPECT_EQ(got.selected, 1u);
  EXPECT_EQ(got.scores[1], 1) << "a new contest begins";
  two[1] = candidate(0, 99.9, 0);
  two[1].score = 8;
  got = select_of(two);
  EXPECT_EQ(got.selected, 0u);
  EXPECT_EQ(got.scores[1], 1) << "never below one: the way back is no longer";
}

TEST(Selection, the_selected_source_is_left_at_once_when_it_lies) {
  std::vector<Candidate> three{candidate(90, 1), candidate(0, 5), candidate(1, 9)};
  three[0].was_selected = true;
  EXPECT_EQ(select_of(three).selected, 1u);
}

TEST(Selection, a_preferred_source_is_used_alone_while_it_agrees) {
  const Candidate preferred = with(candidate(10, 20), kPrefer);
  Selection got = select_of({candidate(0, 1), preferred, candidate(1, 2)});
  EXPECT_EQ(got.selected, 1u);
  EXPECT_EQ(got.causes[0], Cause::kNotPreferred);
  EXPECT_EQ(got.offset, Duration::milliseconds(3)) << "as far as the majority allows";
  got = select_of({candidate(0, 1), with(candidate(90, 20), kPrefer), candidate(1, 2)});
  EXPECT_EQ(got.causes[1], Cause::kFalseticker) << "preference is no trust";
  EXPECT_EQ(got.causes[0], Cause::kSelected);
}

TEST(Selection, of_several_preferred_ones_all_are_used) {
  const Selection got =
      select_of({candidate(0, 1), with(candidate(1, 2), kPrefer), with(candidate(2, 3), kPrefer)});
  EXPECT_EQ(got.causes[1], Cause::kSelected);
  EXPECT_EQ(got.causes[2], Cause::kCombined);
  EXPECT_EQ(got.causes[0], Cause::kNotPreferred);
}

TEST(Selection, what_trusted_sources_agree_on_cannot_be_outvoted) {
  const std::vector<Candidate> six{with(candidate(0, 5), kTrust),
                                   with(candidate(1, 5), kTrust),
                                   candidate(90, 1),
                                   candidate(90, 1),
                                   candidate(91, 1),
                                   candidate(92, 1)};
  const Selection got = select_of(six);
  ASSERT_TRUE(got.found());
  EXPECT_EQ(got.causes[0], Cause::kSelected);
  EXPECT_EQ(got.causes[2], Cause::kFalseticker);
  EXPECT_LE(got.uncertainty, Duration::milliseconds(6));
}

TEST(Selection, a_majority_of_the_trusted_is_needed) {
  const Selection got = select_of({with(candidate(0, 5), kTrust), with(candidate(50, 5), kTrust),
                                   candidate(0, 5), candidate(0, 5), candidate(0, 5)});
  EXPECT_EQ(got.agreement, Agreement::kNoMajority);
}

TEST(Selection, without_a_trusted_source_that_answers_the_majority_decides) {
  const Candidate gone = with(silent(), kTrust);
  EXPECT_TRUE(select_of({gone, candidate(0, 5), candidate(1, 5)}).found());
  const Candidate coming = with(undecided(), kTrust);
  EXPECT_EQ(select_of({coming, candidate(0, 5), candidate(1, 5)}).agreement, Agreement::kUndecided);
}

TEST(Selection, who_is_not_trusted_is_used_as_far_as_it_says_no_more_than_the_trusted) {
  const Selection got = select_of({with(candidate(0, 5), kTrust), with(candidate(1, 5), kTrust),
                                   candidate(2, 1), candidate(5.5, 1)});
  EXPECT_EQ(got.causes[2], Cause::kSelected);
  EXPECT_EQ(got.causes[3], Cause::kDistrusted);
}

TEST(Selection, one_of_the_required_must_agree) {
  const Candidate required = with(candidate(0, 5), kRequire);
  EXPECT_TRUE(select_of({required, candidate(1, 5), with(silent(), kRequire)}).found());
  const Selection got = select_of({with(silent(), kRequire), candidate(1, 5), candidate(0, 5)});
  EXPECT_EQ(got.agreement, Agreement::kNotRequired);
  EXPECT_EQ(got.causes[1], Cause::kWaitsForOthers);
  EXPECT_EQ(
      select_of({with(candidate(90, 1), kRequire), candidate(1, 5), candidate(0, 5)}).agreement,
      Agreement::kNotRequired)
      << "it lies";
  Absent absent;
  absent.require = true;
  EXPECT_EQ(select_of({candidate(1, 5)}, {}, absent).agreement, Agreement::kNotRequired);
}

TEST(Selection, of_two_groups_that_contradict_each_other_who_agrees_with_both_is_used) {
  // Two liars pull a wide honest source to their side: two groups of three.
  const std::vector<Candidate> five{candidate(0, 1), candidate(0.1, 1), candidate(0, 10),
                                    candidate(6, 0.5), candidate(6.1, 0.5)};
  const Selection got = select_of(five, min_sources(3));
  ASSERT_TRUE(got.found());
  EXPECT_EQ(got.selected, 2u);
  EXPECT_EQ(got.offset, Duration());
  for (const std::size_t i : {0u, 1u, 3u, 4u}) EXPECT_EQ(got.causes[i], Cause::kContested);
  EXPECT_GE(got.uncertainty, Duration::milliseconds(6));
}

TEST(Selection, a_liar_with_a_narrow_interval_at_the_border_pulls_no_farther_than_the_border) {
  // Without a limit the offset would be the liar's own: 1.04 ms.
  const Selection got = select_of({candidate(0, 1), candidate(0, 1.01), candidate(0, 1.02),
                                   candidate(1.04, 0.05), candidate(1.04, 0.05)});
  ASSERT_TRUE(got.found());
  EXPECT_LE(got.offset, milliseconds(1.02));
}

TEST(Selection, every_cause_has_a_letter_a_name_and_a_sentence_of_its_own) {
  std::set<char> letters;
  std::set<std::string_view> names;
  std::set<std::string_view> sentences;
  for (std::size_t i = 0; i < kCauseCount; ++i) {
    letters.insert(letter_of(static_cast<Cause>(i)));
    names.insert(name_of(static_cast<Cause>(i)));
    sentences.insert(sentence_of(static_cast<Cause>(i)));
  }
  EXPECT_EQ(letters.size(), kCauseCount);
  EXPECT_EQ(names.size(), kCauseCount);
  EXPECT_EQ(sentences.size(), kCauseCount);
  EXPECT_EQ(letter_of(Cause::kSmeared), 'm');
  EXPECT_EQ(name_of(Cause::kSmeared), "smeared");
}

}  // namespace
}  // namespace timepool::ntp
