// Generator: requests over many UDP sockets, each with its own source port and, if wanted, source
// address. In a closed loop every answer lets the next request go, so that the rate is what the
// server and this path sustain; in an open loop requests go at a rate that is given, whatever comes
// back.
//
// Bounds: a run ends after `count` requests or `duration`, whichever is first; what is in flight
// then is waited for `timeout` at the longest. One thread, no allocation while it runs.
#pragma once

#include <cstdint>
#include <optional>

#include "base/ip.h"
#include "base/result.h"
#include "load/latency_histogram.h"
#include "load/traffic.h"

namespace timepool::load {

class NtsTraffic;

struct LoadOptions {
  static constexpr std::uint64_t kMaxCount = 100'000'000;
  static constexpr int kMaxSockets = 256;

  Endpoint target;
  std::uint64_t count = 200'000;
  Duration duration = Duration::seconds(10);  // at most one hour
  // Requests a second, evenly spaced; 0: closed loop. Nothing is made up for after a pause of this
  // program, beyond kMaxBacklog requests: a burst is not what was asked for.
  std::uint64_t rate = 0;
  static constexpr std::uint64_t kMaxRate = 10'000'000;
  static constexpr std::uint64_t kMaxBacklog = 32;
  // Where the sockets are bound, spread evenly over it; without it the system chooses. Addresses
  // that this machine does not have need a local route (ip route add local PREFIX dev lo).
  std::optional<Prefix> sources;
  int sockets = 16;
  int inflight = 512;                              // over all sockets
  Duration timeout = Duration::milliseconds(500);  // after it a request counts as lost
  std::optional<int> cpu;                          // pins the thread
  bool allow_private = false;                      // see check_target

  // Of the socket that has the most.
  std::size_t slots() const { return static_cast<std::size_t>((inflight + sockets - 1) / sockets); }
};

struct LoadReport {
  std::uint64_t sent = 0;
  std::uint64_t answered = 0;
  std::uint64_t interleaved = 0;  // of them, in interleaved mode
  std::uint64_t proven = 0;       // of them, with a proof that was verified
  std::uint64_t lost = 0;         // no answer within the timeout
  std::uint64_t refused = 0;      // a kiss of death, or a DNS code other than NOERROR and NXDOMAIN
  std::uint64_t invalid = 0;      // in the right form for no request, or wrong in content
  std::uint64_t unmatched = 0;    // late, twice, or never asked for
  Duration elapsed;               // from the first request to the last answer
  Duration sending;               // from the first request to the last
  LatencyHistogram latency;  // of answered requests, from before the send call to after receipt

  double rate() const;           // answers a second
  double offered() const;        // requests a second while they were sent
  double lost_fraction() const;  // of those sent
};

// Errors: kDenied for a target that is not loopback (unless allow_private and the address is
// private and this process is in a network namespace of its own): load goes nowhere by accident.
Result<void> check_target(const IpAddress& target, bool allow_private);

// Errors: kInvalid for options out of bounds, and check_target's.
Result<void> check_options(const LoadOptions& options);

// Errors: check_options's, and what the system says. CHECKs that an NtsTraffic has options.slots().
Result<LoadReport> run(const LoadOptions& options, const NtpTraffic& traffic);
Result<LoadReport> run(const LoadOptions& options, const NtsTraffic& traffic);
Result<LoadReport> run(const LoadOptions& options, const DnsTraffic& traffic);
Result<LoadReport> run(const LoadOptions& options, const EchoTraffic& traffic);

}  // namespace timepool::load
