// ServerState: what a server says about its own time. An immutable value that the main loop makes
// and workers read.
#pragma once

#include <cstdint>

#include "base/duration.h"
#include "base/time.h"
#include "wire/ntp/header.h"

namespace timepool::ntp {

// RFC 5905 7.1: PHI, 15 parts in a million.
inline constexpr std::int64_t kDefaultDispersionPpb = 15'000;

struct ServerState {
  // kUnsynchronised: replies say so, with stratum 0 and no reference, as chronyd's do.
  wire::ntp::Leap leap = wire::ntp::Leap::kUnsynchronised;
  std::uint8_t stratum = wire::ntp::kMaxStratum;  // 1 to 15 when synchronised
  std::int8_t precision = -20;                    // log2 seconds
  wire::ntp::ReferenceId reference_id;
  Duration root_delay;
  Duration root_dispersion;                             // at reference_time
  std::int64_t dispersion_ppb = kDefaultDispersionPpb;  // its growth from then on
  UnixTime reference_time;
  // Added to every time served: makes this server a liar. For tests only; zero is the truth.
  Duration test_offset;

  bool synchronised() const {
    return leap != wire::ntp::Leap::kUnsynchronised && stratum > 0 &&
           stratum < wire::ntp::kMaxStratum;
  }
  bool operator==(const ServerState&) const = default;
};

// The root dispersion at `now`; not below the one at reference_time.
Duration root_dispersion_at(const ServerState& state, UnixTime now);

}  // namespace timepool::ntp
