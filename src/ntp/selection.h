// Selection: which of several servers agree, who lies, and what the time is by those who agree
// (RFC 5905 11.2). A pure function of the candidates' correctness intervals.
//
// Each candidate claims that the true offset lies in [offset - distance, offset + distance]. The
// largest group of intervals with a common point is believed if it is a majority; an interval that
// has nothing in common with that group is a falseticker's.
//
// The bound on the combined offset assumes no more than what a majority gives: if at most
// f = (n - 1) / 2 of n candidates lie, the truth lies where at least n - f intervals meet.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "base/duration.h"
#include "base/static_vector.h"

namespace timepool::ntp {

// More associations than this are not selected among. 16 sources of 4 addresses.
inline constexpr std::size_t kMaxCandidates = 64;
// A candidate more than this many times as distant as the selected one is not combined.
inline constexpr std::int64_t kCombineLimit = 3;
// One stratum weighs as much as this in the choice of the selected one.
inline constexpr Duration kStratumWeight = Duration::milliseconds(1);

struct Candidate {
  Duration offset;
  Duration distance;  // half the width of the correctness interval; positive
  std::uint8_t stratum = 0;
  bool was_selected = false;  // it stays so unless another is clearly better
};

enum class CandidateStatus : std::uint8_t {
  kSelected,     // '*'
  kCombined,     // '+'
  kNotCombined,  // '-' agrees, but is too distant to add anything
  kFalseticker,  // 'x'
  kNoMajority,   // '?' nobody can tell who is right
};

struct Selection {
  bool found = false;         // a majority agrees
  std::size_t selected = 0;   // index of the candidate, when found
  std::size_t survivors = 0;  // how many agree
  Duration offset;            // combined, weighted by the inverse of the distance
  Duration uncertainty;       // the most that it is wrong under the assumption above
  StaticVector<CandidateStatus, kMaxCandidates> status;  // one for each candidate
};

// `undecided` servers have not answered yet but still may: they count against the majority, so the
// first to answer does not decide alone. `min_sources` at least must agree.
// CHECKs that there are at most kMaxCandidates.
Selection select(std::span<const Candidate> candidates, std::size_t undecided,
                 std::size_t min_sources);

}  // namespace timepool::ntp
