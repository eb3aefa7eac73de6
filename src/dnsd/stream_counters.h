// What is counted of connections: for each exactly one end, for each handshake of TLS one outcome.
// Written by one worker, read by any thread.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "net/tls_fault.h"

namespace timepool::dnsd {

// What became of a connection.
enum class StreamEnd : std::uint8_t {
  kClient,          // the client ended it
  kIdle,            // nothing moved for the idle time
  kCrowdedOut,      // closed for a newer one, at the limit or for want of descriptors
  kTooManyClient,   // refused: of one address
  kTooManyNetwork,  // refused: of one network
  kFull,            // refused: as many as there may be, and none of this thread's to close
  kBroken,          // ended in the middle of a message, or after one that gets no answer
  kLost,            // reset, or the network failed
  kTls,             // TLS failed
  kStopped,         // this program ended
};
inline constexpr std::size_t kStreamEnds = 10;

constexpr std::string_view name_of(StreamEnd end) {
  constexpr std::array<std::string_view, kStreamEnds> kNames{"client",
                                                             "idle",
                                                             "crowded_out",
                                                             "too_many_of_client",
                                                             "too_many_of_network",
                                                             "full",
                                                             "broken",
                                                             "lost",
                                                             "tls",
                                                             "stopped"};
  return kNames[static_cast<std::size_t>(end)];
}

// Of a handshake: done, done by a ticket, why it failed, or that it took too long. Those that fail
// are counted by TlsFault, of which kNone stands for a whole handshake that was done.
inline constexpr std::size_t kHandshakeResumed = net::kTlsFaultCount;
inline constexpr std::size_t kHandshakeLate = net::kTlsFaultCount + 1;
inline constexpr std::size_t kHandshakeOutcomes = net::kTlsFaultCount + 2;

// Of an outcome, 0 to kHandshakeOutcomes - 1.
inline std::string_view name_of_handshake(std::size_t index) {
  if (index == kHandshakeResumed) return "resumed";
  if (index == kHandshakeLate) return "late";
  return index == 0 ? "done" : net::name_of(static_cast<net::TlsFault>(index));
}

struct StreamCounts {
  std::uint64_t accepted = 0;  // by the gate; refused ones are counted by their end only
  std::uint64_t queries = 0;
  std::uint64_t accept_errors = 0;
  std::size_t open = 0;
  std::array<std::uint64_t, kStreamEnds> ends{};
  std::array<std::uint64_t, kHandshakeOutcomes> handshakes{};

  std::uint64_t of(StreamEnd end) const { return ends[static_cast<std::size_t>(end)]; }
};

class StreamCounters {
 public:
  void count_accepted() { add(accepted_); }
  void count_query() { add(queries_); }
  void count_accept_error() { add(accept_errors_); }
  void count(StreamEnd end) { add(ends_[static_cast<std::size_t>(end)]); }
  void count_handshake(std::size_t outcome) { add(handshakes_[outcome]); }

  void add_to(StreamCounts& out) const {
    const auto read = [](const Counter& it) { return it.load(std::memory_order_relaxed); };
    out.accepted += read(accepted_);
    out.queries += read(queries_);
    out.accept_errors += read(accept_errors_);
    for (std::size_t i = 0; i < kStreamEnds; ++i) out.ends[i] += read(ends_[i]);
    for (std::size_t i = 0; i < kHandshakeOutcomes; ++i) out.handshakes[i] += read(handshakes_[i]);
  }

 private:
  using Counter = std::atomic<std::uint64_t>;
  // By one writer: no read-modify-write needed.
  static void add(Counter& counter) {
    counter.store(counter.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
  }

  Counter accepted_{0};
  Counter queries_{0};
  Counter accept_errors_{0};
  std::array<Counter, kStreamEnds> ends_{};
  std::array<Counter, kHandshakeOutcomes> handshakes_{};
};

}  // namespace timepool::dnsd
