// Cause: why a member is used, or why it is not. One for each member after each selection; the
// letter is chronyc's of `selectdata` where it has one.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace timepool::ntp {

enum class Cause : std::uint8_t {
  // Used.
  kSelected,
  kCombined,
  // Agrees, and is not used now.
  kTooFarToCombine,  // much less exact than the selected one
  kNotPreferred,     // another that agrees is preferred
  kWaitsForOthers,   // too few agree, or none of those that are required
  // Does not agree, or nobody can tell.
  kFalseticker,
  kDistrusted,  // agrees with the majority, but claims more than those that are trusted
  kContested,   // agrees with one of two groups that are as large and contradict each other
  kNoMajority,
  kUndecided,  // others, who have not answered yet, could still make a majority against it
  // Is not asked for its opinion.
  kNoselect,
  kNotAuthentic,
  kOurselves,
  kLoop,
  kUnreachable,
  kRemembered,  // silent, but what it said before counts against those who contradict it
  kNoSamples,
  kUnsynchronised,
  kStratum,
  kTooDistant,
  kTooVariable,
  kSmeared,
  kOrphan,  // it serves its own clock, or follows one that does
};
inline constexpr std::size_t kCauseCount = 23;

// "*", "+", "D", ... one each.
char letter_of(Cause cause);
// "selected", "too_far_to_combine", ...: for metrics and JSON.
std::string_view name_of(Cause cause);
// A whole sentence about "it", for people.
std::string_view sentence_of(Cause cause);

// Its time is part of the reference's.
inline bool is_used(Cause cause) {
  return cause == Cause::kSelected || cause == Cause::kCombined;
}
// It agrees with those who make the reference, or with what would be one.
inline bool is_survivor(Cause cause) {
  return cause <= Cause::kWaitsForOthers;
}
// It has a vote about which time is right.
inline bool is_voter(Cause cause) {
  return cause <= Cause::kUndecided;
}

}  // namespace timepool::ntp
