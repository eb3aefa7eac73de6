// KeyCounters: what one worker of the key establishment server counts: for each connection one
// outcome, and how long those took that were answered. Written by that worker, read by any thread.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string>

#include "base/duration.h"
#include "net/tls_fault.h"
#include "nts/ke_server.h"

namespace timepool::ntpd {

// What became of a connection that no request came from.
enum class KeyLoss : std::uint8_t {
  kLimitConnections,  // refused: as many as there may be
  kLimitNetwork,      // refused: as many of its network as there may be
  kLimitRate,         // refused: too many new ones of its network
  kDisplaced,         // ended for a new one at the limit
  kHandshakeLate,     // TLS was not ready in time
  kLost,              // the client went away, or could not be told the answer
  kStopped,           // this program ended
  kNoCertificate,     // refused: there is none yet
};
inline constexpr std::size_t kKeyLossCount = 8;

// One for each connection: the reason of its request, why TLS failed, or how it was lost.
class ServedOutcome {
 public:
  static constexpr std::size_t kCount = nts::kKeReasonCount + net::kTlsFaultCount + kKeyLossCount;

  constexpr ServedOutcome(nts::KeReason reason)  // NOLINT: converts
      : index_(static_cast<std::size_t>(reason)) {}
  constexpr ServedOutcome(net::TlsFault fault)  // NOLINT: converts
      : index_(nts::kKeReasonCount + static_cast<std::size_t>(fault)) {}
  constexpr ServedOutcome(KeyLoss loss)  // NOLINT: converts
      : index_(nts::kKeReasonCount + net::kTlsFaultCount + static_cast<std::size_t>(loss)) {}

  // 0 to kCount - 1.
  constexpr std::size_t index() const { return index_; }

 private:
  std::size_t index_;
};
// "established", "tls_version", "limit_rate", ...; empty for the one index that no outcome has, of
// TLS without a fault.
std::string name_of_key_outcome(std::size_t index);

// Bucket i counts what took less than 2^i ms and not less than half of that; the last one all that
// took longer.
inline constexpr std::size_t kKeyDurationBuckets = 13;

struct KeyCounts {
  std::array<std::uint64_t, ServedOutcome::kCount> outcomes{};
  std::array<std::uint64_t, kKeyDurationBuckets> durations{};
  std::uint64_t duration_sum_us = 0;
  std::uint64_t accept_errors = 0;

  std::uint64_t of(ServedOutcome outcome) const { return outcomes[outcome.index()]; }
  // Connections that have ended.
  std::uint64_t total() const;
};

class KeyCounters {
 public:
  void count(ServedOutcome outcome) { add(outcomes_[outcome.index()], 1); }
  // From the connection to the answer.
  void count_duration(Duration took);
  void count_accept_error() { add(accept_errors_, 1); }
  void add_to(KeyCounts& out) const;

 private:
  using Counter = std::atomic<std::uint64_t>;
  // By one writer: a plain add.
  static void add(Counter& counter, std::uint64_t value) {
    counter.store(counter.load(std::memory_order_relaxed) + value, std::memory_order_relaxed);
  }

  std::array<Counter, ServedOutcome::kCount> outcomes_{};
  std::array<Counter, kKeyDurationBuckets> durations_{};
  Counter duration_sum_us_{0};
  Counter accept_errors_{0};
};

}  // namespace timepool::ntpd
