// Candidate: what selection is told about one member, and the settings that it goes by.
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/duration.h"
#include "ntp/cause.h"
#include "ntp/intersection.h"
#include "wire/ntp/header.h"

namespace timepool::ntp {

// Per source.
struct SelectOptions {
  bool prefer = false;    // of those that agree, only preferred ones are used, if there are any
  bool trust = false;     // what trusted sources agree on can't be outvoted by others
  bool require = false;   // of the sources with this option one at least must agree
  bool noselect = false;  // measured, never used

  bool operator==(const SelectOptions&) const = default;
};

// What authentication means for selection; chrony's authselectmode.
enum class AuthSelection : std::uint8_t {
  kRequire,  // only authenticated servers are used
  kPrefer,   // the others only when no authenticated server is configured
  kMix,      // where there are both, authenticated servers and reference clocks are trusted and
             // required
  kIgnore,   // nothing
};

struct SelectionConfig {
  // How many must agree before there is a reference.
  std::size_t min_sources = 1;
  // And how many that are authenticated, where one of them has a certificate whose dates were not
  // checked. Those that need none of that, and reference clocks, are enough by min_sources.
  std::size_t unchecked_quorum = 3;
  AuthSelection auth = AuthSelection::kMix;
  std::uint8_t min_stratum = 0;
  std::uint8_t max_stratum = 15;
  Duration max_distance = Duration::seconds(3);
  Duration max_jitter = Duration::seconds(1);
  // A source other than the selected one counts as this much farther away.
  Duration reselect_distance = Duration::microseconds(100);
  // One stratum counts as this much distance in the choice of the selected one.
  Duration stratum_weight = Duration::milliseconds(1);
  // A source more than this many times as distant as the selected one is not combined.
  double combine_limit = 3;
  // Servers of this stratum serve their own clock for want of a better one, those above it follow
  // such a one (ntp/orphan.h); 16: there are none.
  std::uint8_t orphan_stratum = wire::ntp::kMaxStratum;
};

// Whether a server is, or is synchronised to, this machine.
enum class Loop : std::uint8_t { kNone, kOurselves, kSynchronisedToUs };

struct Candidate {
  SelectOptions options;
  bool authenticated = false;
  bool refclock = false;  // no packets, so nothing to authenticate
  // Its certificate was taken without a look at what day it is (nts/certificate_dates.h).
  bool unchecked = false;
  Loop loop = Loop::kNone;
  bool smear_differs = false;  // from the majority's, around a leap second
  bool decided = true;         // it has answered, or failed to often enough
  bool reachable = true;
  bool synchronised = true;  // by its latest answer
  bool measured = true;      // there are samples, and it is reachable
  // It is silent, and agreed when it was heard last: its interval, grown since, still counts.
  bool remembered = false;
  // What follows means nothing unless it is measured or remembered.
  std::uint8_t stratum = 0;
  Duration offset;
  Duration distance;  // half the width of the correctness interval; positive
  Duration jitter;
  bool was_selected = false;
  bool updated = true;  // it has a new sample since the last selection
  double score = 1;     // Selection::scores of the last selection; 1 at first
  bool leads = false;   // the orphan that all follow: nobody has the true time

  Interval interval() const { return {offset - distance, offset + distance}; }
};

// Configured sources that have no member yet, since their name has no address so far.
struct Absent {
  std::size_t undecided = 0;  // members that may still come of them
  bool trust = false;
  bool require = false;
  bool authenticated = false;
  bool unauthenticated = false;
};

}  // namespace timepool::ntp
