// ClientTable: what a server remembers of the addresses that ask it, in a table of fixed size, 44
// octets for each. A place is picked by a keyed hash that the caller gives, among eight.
//
// A newcomer takes a place that is empty or whose owner has not been heard of for long; else that
// of an address that asked only once. Addresses that come again keep theirs: who makes up addresses
// pushes out only other made-up ones.
//
// One thread owns it and calls the commands; top() may be called by another at the same time, and
// sees of each client what was true a moment ago.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "base/duration.h"
#include "base/ip.h"
#include "base/time.h"
#include "base/token_bucket.h"
#include "base/zeroed.h"
#include "ntp/server/address_key.h"

namespace timepool::ntp {

// An average of the time between two requests as eight times its binary logarithm in seconds: -64
// is 4 ms, 80 is 1024 s.
using LogInterval = std::int8_t;
inline constexpr LogInterval kNoInterval = -128;
// Of a span in units of 2^-8 s; from -64 to 127.
LogInterval log_interval(std::uint32_t span);
// A quarter of the way from `average` to `next`, and at least one step.
LogInterval averaged(LogInterval average, LogInterval next);

struct Client {
  AddressKey key;
  std::uint64_t moment = 0;  // its token bucket
  std::uint32_t requests = 0;
  std::uint32_t dropped = 0;  // of them; both stay at their highest value
  std::uint32_t last = 0;     // its last request, in units of 2^-8 s
  LogInterval interval = kNoInterval;
  LogInterval after_answer = kNoInterval;  // until the next request
  LogInterval after_drop = kNoInterval;
  std::uint8_t version = 0;
  std::uint8_t mode = 0;
  bool last_dropped = false;
  bool operator==(const Client&) const = default;
};

// A client as people see it.
struct ClientReport {
  IpAddress address;
  std::uint64_t requests = 0;
  std::uint64_t dropped = 0;
  Duration age;  // since its last request
  std::optional<Duration> interval;
  int version = 0;
  int mode = 0;
};

class ClientTable {
 public:
  static constexpr std::size_t kWays = 8;
  static constexpr std::size_t kOctets = 44;  // a client
  static constexpr std::uint32_t kNone = 0xffff'ffff;
  // 16 million clients: 1 GB with their networks' buckets.
  static constexpr std::size_t kMaxClients = std::size_t{1} << 24;
  // How long an address that asked once is known, two of the shortest usual poll intervals, and one
  // that came again, two of the longest.
  static constexpr Duration kRememberOnce = Duration::seconds(128);
  static constexpr Duration kRemember = Duration::seconds(2400);

  // At least kWays clients; rounded up to a multiple of it. CHECKs kMaxClients.
  explicit ClientTable(std::size_t clients);

  // Begins to bring what is known about the places of `hash` near.
  void prefetch(std::uint64_t hash) const { __builtin_prefetch(headers_.get() + first_of(hash)); }
  // The place of `key`, or kNone.
  std::uint32_t find(const AddressKey& key, std::uint64_t hash) const;

  struct Place {
    std::uint32_t index = kNone;  // kNone: the owners of all are to be kept
    bool pushes_out = false;      // its owner was heard of just now
  };
  // Where a newcomer goes.
  Place place_for(std::uint64_t hash, std::uint64_t now) const;

  Client load(std::uint32_t index) const;
  // `now`: when it was heard of.
  void store(std::uint32_t index, std::uint64_t hash, const Client& client, std::uint64_t now);

  std::size_t clients() const { return sets_ * kWays; }
  // Places that have an owner; from any thread.
  std::size_t used() const { return used_.load(std::memory_order_relaxed); }
  // The `count` clients with the most requests, the most active first; from any thread.
  std::vector<ClientReport> top(std::size_t count, MonoTime now) const;

 private:
  static constexpr std::size_t kWords = 5;
  static_assert(kOctets == kWords * sizeof(std::uint64_t) + sizeof(std::uint32_t));
  using Words = std::array<std::uint64_t, kWords>;
  // How long ago a header says that its owner was heard of, in units of 16 s, modulo six days.
  static std::uint32_t age_of(std::uint32_t header, std::uint64_t now);

  std::size_t first_of(std::uint64_t hash) const {
    return static_cast<std::size_t>((hash >> 32) * sets_ >> 32) * kWays;
  }
  // Of a place, while another thread may be writing it; nothing when it has no owner.
  std::optional<Client> peek(std::size_t index) const;

  std::size_t sets_;
  // Of each place: a tag of 16 bits that is not 0, one bit whether it came again, 15 bits of when.
  Zeroed<std::uint32_t> headers_;
  Zeroed<std::uint64_t> words_;  // kWords for each place
  std::atomic<std::size_t> used_{0};
};

}  // namespace timepool::ntp
