// KeyLoad: key establishments (RFC 8915 4) as a load for a server: so many connections at a time,
// each with a whole handshake, a request and its answer; a new one begins when one ends.
//
// Bounds: a run ends after `count` connections or `duration`, whichever is first; what has begun
// then is waited for `timeout` at the longest. One thread, without descriptors beyond `inflight`.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/result.h"
#include "load/connection_load.h"
#include "load/key_asking.h"
#include "load/latency_histogram.h"

namespace timepool::load {

struct KeyLoadOptions {
  static constexpr std::uint64_t kMaxCount = 10'000'000;
  static constexpr int kMaxInflight = 1000;

  KeyPeer peer;
  std::uint64_t count = 1000;
  Duration duration = Duration::seconds(10);  // at most one hour
  int inflight = 8;
  Duration timeout = Duration::seconds(5);  // for each
  std::optional<int> cpu;                   // pins the thread
  bool allow_private = false;               // see check_target
};

struct KeyLoadReport : ConnectionCounts {
  std::uint64_t established = 0;
  std::uint64_t refused = 0;  // the server answered, but without keys
  std::uint64_t cookies = 0;
  LatencyHistogram latency;  // of established ones, from before connecting to the whole answer

  double rate() const;  // established ones a second
};

// Errors: kInvalid for options out of bounds, check_target's, what is wrong with the authority's
// file, and what the system says.
Result<KeyLoadReport> run(const KeyLoadOptions& options);

}  // namespace timepool::load
