// QueryRing: queries and their replies on their way from the thread that answered to the one that
// writes them down: one writer, one reader, no lock, a fixed number of places that take memory only
// once they are used. What finds no place is counted and left out.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "base/byte_reader.h"
#include "base/ip.h"
#include "base/time.h"
#include "base/zeroed.h"
#include "dns/reason.h"

namespace timepool::dnsd {

enum class Transport : std::uint8_t { kUdp, kTcp, kTls };

// One query, what became of it, and its messages, borrowed.
struct SeenQuery {
  UnixTime received;
  UnixTime replied;
  Endpoint from;
  Endpoint to;  // address and port 0 where it is not known
  Transport transport = Transport::kUdp;
  dns::Reason reason{};
  Bytes query;
  Bytes reply;  // empty: there was none
};

class QueryRing {
 public:
  // The reader rests for 10 ms: 100,000 a second find a place.
  static constexpr std::size_t kPlaces = 1024;
  // What is kept of messages: the longest query with all options, and nearly all replies by UDP.
  // Longer ones are kept as if they were empty, with their true length.
  static constexpr std::size_t kMaxQuery = 512;
  static constexpr std::size_t kMaxReply = 1536;

  QueryRing() : places_(make_zeroed<Place>(kPlaces)) {}

  // The writer's thread. False when there is no place.
  bool put(const SeenQuery& seen) {
    const std::uint64_t at = written_.load(std::memory_order_relaxed);
    if (at - read_.load(std::memory_order_acquire) == kPlaces) {
      dropped_.store(dropped_.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
      return false;
    }
    Place& place = places_[at % kPlaces];
    place.received_ns = seen.received.ns();
    place.replied_ns = seen.replied.ns();
    place.from = seen.from;
    place.to = seen.to;
    place.transport = seen.transport;
    place.reason = seen.reason;
    place.query_size = static_cast<std::uint16_t>(seen.query.size());
    place.reply_size = static_cast<std::uint16_t>(seen.reply.size());
    keep(seen.query, kMaxQuery, place.query.data());
    keep(seen.reply, kMaxReply, place.reply.data());
    written_.store(at + 1, std::memory_order_release);
    return true;
  }

  // The reader's thread: the oldest one, valid until pop(); false when there is none.
  struct Kept {
    SeenQuery seen;
    std::size_t query_size = 0;  // as it was, although `seen` has none of it when it was too long
    std::size_t reply_size = 0;
  };
  bool front(Kept& out) const {
    const std::uint64_t at = read_.load(std::memory_order_relaxed);
    if (at == written_.load(std::memory_order_acquire)) return false;
    const Place& place = places_[at % kPlaces];
    out.query_size = place.query_size;
    out.reply_size = place.reply_size;
    out.seen = {UnixTime::from_ns(place.received_ns),
                UnixTime::from_ns(place.replied_ns),
                place.from,
                place.to,
                place.transport,
                place.reason,
                Bytes(place.query).first(out.query_size > kMaxQuery ? 0 : out.query_size),
                Bytes(place.reply).first(out.reply_size > kMaxReply ? 0 : out.reply_size)};
    return true;
  }
  void pop() { read_.store(read_.load(std::memory_order_relaxed) + 1, std::memory_order_release); }

  std::uint64_t dropped() const { return dropped_.load(std::memory_order_relaxed); }

 private:
  struct Place {
    std::int64_t received_ns;
    std::int64_t replied_ns;
    Endpoint from;
    Endpoint to;
    Transport transport;
    dns::Reason reason;
    std::uint16_t query_size;
    std::uint16_t reply_size;
    std::array<std::byte, kMaxQuery> query;
    std::array<std::byte, kMaxReply> reply;
  };
  static void keep(Bytes bytes, std::size_t max, std::byte* to) {
    if (!bytes.empty() && bytes.size() <= max) std::memcpy(to, bytes.data(), bytes.size());
  }

  Zeroed<Place> places_;
  // A line each: the two threads write them at the same time.
  alignas(64) std::atomic<std::uint64_t> written_{0};
  std::atomic<std::uint64_t> dropped_{0};
  alignas(64) std::atomic<std::uint64_t> read_{0};
};

}  // namespace timepool::dnsd
