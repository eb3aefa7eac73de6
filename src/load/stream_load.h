// StreamLoad: connections of DNS over TCP or TLS as a load for a server: so many at a time, each
// with so many queries, so many of which are sent ahead of their answers; a new one begins when one
// ends. With TLS and no query: handshakes alone.
//
// Bounds: a run ends after `count` connections or `duration`, whichever is first; what has begun
// then is waited for `timeout` at the longest. One thread, without descriptors beyond `inflight`.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/ip.h"
#include "base/result.h"
#include "load/connection_load.h"
#include "load/latency_histogram.h"
#include "load/traffic.h"

namespace timepool::load {

struct StreamLoadOptions {
  static constexpr std::uint64_t kMaxCount = 100'000'000;
  static constexpr int kMaxInflight = 1000;
  static constexpr int kMaxQueries = 1'000'000;
  // Identifiers of DNS have 16 bits.
  static constexpr int kMaxPipeline = 10'000;

  Endpoint target;
  std::uint64_t count = 1000;
  Duration duration = Duration::seconds(10);  // at most one hour
  int inflight = 8;                           // connections at a time
  int queries = 1;                            // on each connection; 0 with TLS alone
  int pipeline = 1;                           // of them sent ahead of the answers
  Duration timeout = Duration::seconds(5);    // for each connection
  bool tls = false;
  std::string name = "localhost";  // asked for by SNI
  std::optional<int> cpu;          // pins the thread
  bool allow_private = false;      // see check_target
};

struct StreamLoadReport : ConnectionCounts {
  std::uint64_t done = 0;  // with all of their answers
  std::uint64_t answered = 0;
  std::uint64_t refused = 0;
  std::uint64_t invalid = 0;
  LatencyHistogram latency;  // of done ones, from before connecting to the last answer

  double rate() const;         // done ones a second
  double answer_rate() const;  // answers a second
};

// Errors: kInvalid for options out of bounds, check_target's, and what the system says.
Result<StreamLoadReport> run(const StreamLoadOptions& options, const DnsTraffic& traffic);

}  // namespace timepool::load
