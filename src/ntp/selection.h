// Selection: which of several sources agree, who lies, and what the time is by those who agree
// (RFC 5905 11.2). A pure function of what is known of the candidates.
//
// Each candidate claims that the true offset lies in [offset - distance, offset + distance]. The
// largest group of intervals with a common point is believed if it is a majority; an interval that
// has nothing in common with that group is a falseticker's. Where some voters are trusted, they
// alone are the jury, and the others are only used where they claim no more than the jury does.
//
// The bound assumes no more than what a majority gives: if at most f = (n - 1) / 2 of n jurors lie,
// the truth lies where at least n - f of their intervals meet. The offset never leaves that region;
// each point of it is within the correctness interval of some honest juror, so liars move the
// offset by no more than the width of one honest interval.
//
// A source that agreed and then fell silent stays a juror for a while (Candidate::remembered): its
// interval, grown by what the local clock may have drifted since, counts for and against others as
// before, but its time is not used. So liars gain nothing from the silence of honest sources, and
// where everybody is honest nobody notices, since all intervals hold the truth (ADR 0025).
//
// When groups as large as each other contradict each other, those are used that agree with each of
// the groups: if f liars make such a tie, they need an honest source with a wide interval for it,
// and then that source decides, not they.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "base/duration.h"
#include "base/static_vector.h"
#include "ntp/candidate.h"

namespace timepool::ntp {

// A source takes the selected one's place when the product of the ratios of their costs, over the
// selections in which one of the two had a new sample, is above this.
inline constexpr double kScoreLimit = 10;

// Why there is no reference.
enum class Agreement : std::uint8_t {
  kFound,
  kNobody,       // nobody has a vote
  kNoMajority,   // no majority agrees
  kUndecided,    // a majority agrees, but those who have not answered yet could outvote it
  kTooFew,       // a majority agrees, but fewer of it than min_sources can be used
  kNotRequired,  // a majority agrees, but none of those that are required
  kUnchecked     // a majority agrees, but too few for certificates with unchecked dates
};
// "found", "nobody", ...
std::string_view name_of(Agreement agreement);

struct Selection {
  Agreement agreement = Agreement::kNobody;
  std::size_t selected = 0;   // index of the candidate, when found
  std::size_t survivors = 0;  // how many agree, when found
  Interval region;            // where the truth is under the assumption above, when found
  Duration offset;            // combined, weighted by the inverse of the distance; in the region
  Duration uncertainty;       // the most that it is wrong under the assumption above
  // One for each candidate.
  StaticVector<Cause, kMaxCandidates> causes;
  StaticVector<SelectOptions, kMaxCandidates> options;  // with what authentication adds
  StaticVector<double, kMaxCandidates> scores;          // for the next selection

  bool found() const { return agreement == Agreement::kFound; }
};

// Those who are undecided count against the majority, so the first to answer does not decide alone.
// CHECKs that there are at most kMaxCandidates.
Selection select(std::span<const Candidate> candidates, const Absent& absent,
                 const SelectionConfig& config);

}  // namespace timepool::ntp
