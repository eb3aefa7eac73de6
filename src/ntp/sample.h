// Sample: what one exchange with a server measured, and what the server said about itself.
#pragma once

#include <cstdint>

#include "base/duration.h"
#include "ntp/local_time.h"
#include "ntp/timestamp.h"
#include "wire/ntp/header.h"

namespace timepool::ntp {

struct Sample {
  LocalTime at;         // when the reply came; in interleaved mode, the one before it
  Duration offset;      // server's clock less ours: positive when ours is behind
  Duration delay;       // of the round trip without the server's part; at least the precision
  Duration dispersion;  // error of the reading itself, without half the delay
  Duration response;    // the server's part of the exchange, by its own timestamps
  bool interleaved = false;
  StampSource sent_by = StampSource::kProgram;
  StampSource received_by = StampSource::kProgram;
  // The server's claims.
  wire::ntp::Leap leap = wire::ntp::Leap::kUnsynchronised;
  std::uint8_t version = 0;
  std::uint8_t stratum = 0;
  std::int8_t poll = 0;
  std::int8_t precision = 0;
  wire::ntp::ReferenceId reference_id;
  NtpTimestamp reference_time;  // when its clock was last set; zero: it does not say
  Duration root_delay;
  Duration root_dispersion;
  wire::ntp::KissCode kiss = wire::ntp::KissCode::kNone;

  // The most that `offset` can be wrong if the server is right about itself (RFC 5905 figure 27:
  // root distance, without ageing and jitter).
  Duration root_distance() const {
    return delay / 2 + root_delay / 2 + dispersion + root_dispersion;
  }
};

}  // namespace timepool::ntp
