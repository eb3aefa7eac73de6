// ServerState: what a server says about its own time. An immutable value that the main loop makes
// and workers read.
#pragma once

#include <cstdint>
#include <optional>

#include "base/duration.h"
#include "base/time.h"
#include "ntp/server/served_time.h"
#include "wire/ntp/header.h"

namespace timepool::ntp {

// RFC 5905 7.1: PHI, 15 parts in a million.
inline constexpr std::int64_t kDefaultDispersionPpb = 15'000;
// A state that nobody made anew for so long vouches for nothing: who makes it hangs, or somebody
// moved the clock and nobody noticed. It is made anew forty times in that time.
inline constexpr Duration kMaxStateAge = Duration::seconds(600);

struct ServerState {
  // kUnsynchronised: replies say so, with stratum 0 and no reference, as chronyd's do.
  wire::ntp::Leap leap = wire::ntp::Leap::kUnsynchronised;
  std::uint8_t stratum = wire::ntp::kMaxStratum;  // 1 to 15 when synchronised
  std::int8_t precision = -20;                    // log2 seconds
  wire::ntp::ReferenceId reference_id;
  Duration root_delay;
  Duration root_dispersion;                             // when it was made
  std::int64_t dispersion_ppb = kDefaultDispersionPpb;  // its growth from then on
  // When the clock was last set or corrected. The others are times of the system clock too.
  UnixTime reference_time;
  // When this was so; empty: at reference_time, and it holds for ever.
  std::optional<UnixTime> made;
  // A leap second that is smeared; at other times there is none.
  ServedShift shift;
  // Added to every time served: makes this server a liar. For tests only; zero is the truth.
  Duration test_offset;

  bool synchronised() const {
    return leap != wire::ntp::Leap::kUnsynchronised && stratum > 0 &&
           stratum < wire::ntp::kMaxStratum;
  }
  // Whether it may be served as good time at `now`.
  bool vouches(UnixTime now) const {
    return synchronised() && (!made || (now - *made).abs() <= kMaxStateAge);
  }
  bool operator==(const ServerState&) const = default;
};

// The root dispersion at `now`; not below the one when the state was made.
Duration root_dispersion_at(const ServerState& state, UnixTime now);

}  // namespace timepool::ntp
