// Candidates as the tests of selection write them: offset and distance in milliseconds.
#pragma once

#include <vector>

#include "ntp/selection.h"

namespace timepool::ntp {

inline Duration milliseconds(double value) {
  return Duration::from_seconds(value / 1e3);
}

inline Candidate candidate(double offset_ms, double distance_ms, std::uint8_t stratum = 2) {
  Candidate out;
  out.offset = milliseconds(offset_ms);
  out.distance = milliseconds(distance_ms);
  out.stratum = stratum;
  return out;
}

inline Candidate silent() {
  Candidate out;
  out.reachable = false;
  out.measured = false;
  return out;
}

inline Candidate undecided() {
  Candidate out = silent();
  out.decided = false;
  return out;
}

// Silent, but it agreed before.
inline Candidate remembered(double offset_ms, double distance_ms) {
  Candidate out = candidate(offset_ms, distance_ms);
  out.reachable = false;
  out.measured = false;
  out.remembered = true;
  return out;
}

inline Candidate with(Candidate of, SelectOptions options) {
  of.options = options;
  return of;
}

inline Candidate authenticated(Candidate of) {
  of.authenticated = true;
  return of;
}

// The options one by one.
inline constexpr SelectOptions kPrefer{true, false, false, false};
inline constexpr SelectOptions kTrust{false, true, false, false};
inline constexpr SelectOptions kRequire{false, false, true, false};
inline constexpr SelectOptions kNoselect{false, false, false, true};

inline Selection select_of(const std::vector<Candidate>& candidates,
                           const SelectionConfig& config = {}, const Absent& absent = {}) {
  return select(candidates, absent, config);
}

}  // namespace timepool::ntp
