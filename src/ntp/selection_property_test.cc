// What must hold for any liars: they collude at any offset, stand at the borders of the honest
// intervals, claim any precision, and answer late.
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>

#include "ntp/selection_test_support.h"

namespace timepool::ntp {
namespace {

constexpr Duration kRounding = Duration::nanoseconds(10);

struct Parliament {
  Duration truth;
  std::size_t honest = 0;  // the first of `all`
  std::vector<Candidate> all;

  bool covered_by_honest(Duration value) const {
    return std::any_of(
        all.begin(), all.begin() + static_cast<std::ptrdiff_t>(honest), [&](const Candidate& it) {
          return it.interval().low - kRounding <= value && value <= it.interval().high + kRounding;
        });
  }
  Duration widest() const {
    Duration out;
    for (std::size_t i = 0; i < honest; ++i) out = std::max(out, all[i].distance);
    return out * 2;
  }
};

Candidate random_honest(double truth_ms) {
  const double distance = *rc::gen::inRange(1, 20000) / 1e3;
  return candidate(truth_ms + distance * *rc::gen::inRange(-1000, 1001) / 1e3, distance,
                   *rc::gen::inRange<std::uint8_t>(1, 5));
}

// Each liar knows what everybody says. `plot` is where they collude.
Candidate random_liar(const Parliament& others, double plot_ms) {
  const double distance = *rc::gen::element(0.001, 0.1, 1.0, 10.0, 1000.0);
  switch (*rc::gen::inRange(0, 4)) {
    case 0:
      return candidate(plot_ms, distance, 1);
    case 1: {  // its border on the border of an honest one, inside or outside
      const Candidate& victim = others.all[*rc::gen::inRange<std::size_t>(0, others.honest)];
      const double edge = (*rc::gen::arbitrary<bool>() ? victim.interval().low.to_seconds()
                                                       : victim.interval().high.to_seconds()) *
                          1e3;
      return candidate(edge + distance * *rc::gen::element(-1.0, -0.5, 0.0, 0.5, 1.0), distance, 1);
    }
    case 2:
      return candidate(plot_ms + *rc::gen::inRange(-1000, 1001) / 1e3, distance, 1);
    default:
      return candidate(*rc::gen::inRange(-100000, 100000) / 1e3, distance, 1);
  }
}

Parliament random_parliament(std::size_t n, std::size_t liars) {
  Parliament out;
  const double truth = *rc::gen::inRange(-100000, 100000) / 1e3;
  out.truth = milliseconds(truth);
  out.honest = n - liars;
  for (std::size_t i = 0; i < out.honest; ++i) out.all.push_back(random_honest(truth));
  const double plot = truth + *rc::gen::inRange(-30000, 30000) / 1e3;
  for (std::size_t i = 0; i < liars; ++i) out.all.push_back(random_liar(out, plot));
  // Whoever was selected: a liar may have been good until now.
  out.all[*rc::gen::inRange<std::size_t>(0, n)].was_selected = *rc::gen::arbitrary<bool>();
  return out;
}

RC_GTEST_PROP(SelectionOfLiars, less_than_half_of_them_move_the_offset_within_an_honest_interval,
              ()) {
  const auto n = *rc::gen::inRange<std::size_t>(1, 14);
  const auto liars = *rc::gen::inRange<std::size_t>(0, (n - 1) / 2 + 1);
  const Parliament it = random_parliament(n, liars);
  const Selection got = select_of(it.all);
  RC_ASSERT(got.found());
  const Duration error = (got.offset - it.truth).abs();
  RC_ASSERT(error <= got.uncertainty + kRounding);
  RC_ASSERT(it.covered_by_honest(got.offset));
  RC_ASSERT(error <= it.widest() + kRounding);
  RC_ASSERT(got.region.low - kRounding <= it.truth && it.truth <= got.region.high + kRounding);
}

RC_GTEST_PROP(SelectionOfLiars, without_liars_nobody_is_named_one, ()) {
  const auto n = *rc::gen::inRange<std::size_t>(1, 14);
  const Selection got = select_of(random_parliament(n, 0).all);
  RC_ASSERT(got.found());
  RC_ASSERT(got.survivors == n);
}

RC_GTEST_PROP(SelectionOfLiars, less_than_half_of_them_never_make_all_honest_falsetickers, ()) {
  const auto n = *rc::gen::inRange<std::size_t>(2, 14);
  const auto liars = *rc::gen::inRange<std::size_t>(0, (n - 1) / 2 + 1);
  const Parliament it = random_parliament(n, liars);
  const Selection got = select_of(it.all);
  std::size_t honest_survivors = 0;
  for (std::size_t i = 0; i < it.honest; ++i) {
    honest_survivors += is_survivor(got.causes[i]) ? 1u : 0u;
  }
  RC_ASSERT(honest_survivors > 0u);
}

// With trusted sources the number of the others does not matter.
RC_GTEST_PROP(SelectionOfLiars, any_number_of_them_is_held_by_a_trusted_majority, ()) {
  const auto trusted = *rc::gen::inRange<std::size_t>(1, 8);
  const auto traitors = *rc::gen::inRange<std::size_t>(0, (trusted - 1) / 2 + 1);
  Parliament it = random_parliament(trusted, traitors);
  for (Candidate& one : it.all) one.options = kTrust;
  const double plot = it.truth.to_seconds() * 1e3 + *rc::gen::inRange(-30000, 30000) / 1e3;
  const auto crowd = *rc::gen::inRange<std::size_t>(0, 20);
  for (std::size_t i = 0; i < crowd; ++i) it.all.push_back(random_liar(it, plot));
  const Selection got = select_of(it.all);
  RC_ASSERT(got.found());
  RC_ASSERT((got.offset - it.truth).abs() <= got.uncertainty + kRounding);
  RC_ASSERT(it.covered_by_honest(got.offset));
}

// A majority of liars that does not agree on one lie gets no majority; one that does can't be told
// from an honest majority, whose members all agree.
RC_GTEST_PROP(SelectionOfLiars, a_majority_of_them_that_is_divided_is_not_followed, ()) {
  const auto honest = *rc::gen::inRange<std::size_t>(1, 6);
  const auto liars = *rc::gen::inRange<std::size_t>(honest + 1, 13);
  std::vector<Candidate> all;
  for (std::size_t i = 0; i < honest; ++i) all.push_back(candidate(0, 1));
  // Each tells another time.
  for (std::size_t i = 0; i < liars; ++i) {
    all.push_back(candidate(100.0 * static_cast<double>(i + 1), 1));
  }
  RC_ASSERT(select_of(all).agreement == Agreement::kNoMajority);
}

// Whoever falls silent is remembered: liars win nothing by silencing honest sources.
RC_GTEST_PROP(SelectionOfLiars, the_silence_of_any_of_the_honest_helps_no_liar, ()) {
  const auto n = *rc::gen::inRange<std::size_t>(1, 14);
  const auto liars = *rc::gen::inRange<std::size_t>(0, (n - 1) / 2 + 1);
  Parliament it = random_parliament(n, liars);
  for (Candidate& one : it.all) {
    one.remembered = *rc::gen::arbitrary<bool>();
    one.reachable = one.measured = !one.remembered;
  }
  const Selection got = select_of(it.all);
  for (std::size_t i = 0; i < n; ++i) {
    RC_ASSERT(!it.all[i].remembered || got.causes[i] == Cause::kRemembered);
  }
  if (!got.found()) return;
  RC_ASSERT(!it.all[got.selected].remembered);
  RC_ASSERT((got.offset - it.truth).abs() <= got.uncertainty + kRounding);
  RC_ASSERT(it.covered_by_honest(got.offset));
  RC_ASSERT(got.region.low - kRounding <= it.truth && it.truth <= got.region.high + kRounding);
}

// While undecided ones could still make an honest majority, liars who came first wait for them.
RC_GTEST_PROP(SelectionOfLiars, who_come_first_do_not_decide, ()) {
  const auto liars = *rc::gen::inRange<std::size_t>(1, 10);
  const auto coming = *rc::gen::inRange<std::size_t>(liars, 20);
  std::vector<Candidate> all(liars, candidate(500, 1));
  all.insert(all.end(), coming, undecided());
  RC_ASSERT(select_of(all).agreement == Agreement::kUndecided);
}

RC_GTEST_PROP(SelectionOfAnything, gives_each_a_cause_and_at_most_one_is_selected, ()) {
  const auto n = *rc::gen::inRange<std::size_t>(0, kMaxCandidates + 1);
  std::vector<Candidate> all;
  for (std::size_t i = 0; i < n; ++i) {
    Candidate one;
    one.offset = Duration::nanoseconds(*rc::gen::arbitrary<std::int64_t>());
    one.distance = Duration::nanoseconds(*rc::gen::inRange<std::int64_t>(1, 1'000'000'000'000));
    one.measured = *rc::gen::arbitrary<bool>();
    one.remembered = *rc::gen::arbitrary<bool>();
    one.decided = *rc::gen::arbitrary<bool>();
    one.authenticated = *rc::gen::arbitrary<bool>();
    one.options = {*rc::gen::arbitrary<bool>(), *rc::gen::arbitrary<bool>(),
                   *rc::gen::arbitrary<bool>(), *rc::gen::arbitrary<bool>()};
    all.push_back(one);
  }
  const Selection got = select_of(all);
  RC_ASSERT(got.causes.size() == n);
  RC_ASSERT(got.scores.size() == n);
  RC_ASSERT(got.options.size() == n);
  const auto selected = std::count(got.causes.begin(), got.causes.end(), Cause::kSelected);
  RC_ASSERT(selected == (got.found() ? 1 : 0));
}

}  // namespace
}  // namespace timepool::ntp
