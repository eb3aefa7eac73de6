// ServerCounters: what one worker of the server counts: each datagram's reason, its version and
// mode, and how long replies took from the receive to the transmit timestamp. Written by that
// worker, read by any thread; nothing is locked or allocated.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>

#include "base/byte_reader.h"
#include "base/duration.h"
#include "ntp/server/reason.h"

namespace timepool::ntpd {

using ReasonCounts = std::array<std::uint64_t, ntp::kReasonCount>;

// Bucket i counts replies that took less than 2^i microseconds and not less than half of that; the
// last one all that took longer.
inline constexpr std::size_t kLatencyBuckets = 20;
constexpr std::int64_t latency_bound_us(std::size_t bucket) {
  return std::int64_t{1} << bucket;
}

// Sums over workers.
struct ServerCounts {
  ReasonCounts reasons{};
  // By the lowest six bits of the first octet: version * 8 + mode, as the client wrote them.
  std::array<std::uint64_t, 64> kinds{};
  std::array<std::uint64_t, kLatencyBuckets> latency{};
  std::uint64_t latency_sum_ns = 0;

  std::uint64_t of_version(unsigned version) const;
  std::uint64_t of_mode(unsigned mode) const;
  // Datagrams, whatever became of them.
  std::uint64_t total() const;
  // Those that were not dropped.
  std::uint64_t answered() const;
};

class ServerCounters {
 public:
  // A datagram and what became of it; an empty one has no version and no mode.
  void count(ntp::Reason reason, Bytes datagram);
  // A reply that is about to leave `took` after its request came.
  void count_reply(Duration took);
  void add_to(ServerCounts& out) const;

 private:
  using Counter = std::atomic<std::uint64_t>;
  // By one writer: a plain add.
  static void add(Counter& counter, std::uint64_t value) {
    counter.store(counter.load(std::memory_order_relaxed) + value, std::memory_order_relaxed);
  }

  std::array<Counter, ntp::kReasonCount> reasons_{};
  std::array<Counter, 64> kinds_{};
  std::array<Counter, kLatencyBuckets> latency_{};
  Counter latency_sum_ns_{0};
};

}  // namespace timepool::ntpd
