// RateLimiter: whom a server answers less often, and what it remembers of its clients.
//
// A request takes a token of its address's bucket and of each network's that it lies in; when one
// has none, the request is dropped, except that
// * a fraction at random is answered all the same (the leak), so that whoever floods us in the name
//   of another does not take the time away from that one;
// * a client that keeps to the limit while it is answered and only asks again sooner when it is not
//   is answered, since dropping makes it ask more;
// * of what is dropped a fraction is told so by a RATE answer (RFC 5905 7.4).
// Addresses that find no place in the table but that of another newcomer take a token of one common
// bucket: made-up addresses can't go past the limits by being new each time. And they push each
// other out so seldom that an honest newcomer is still known when it comes again.
//
// It is for requests of clients alone: answers to our own requests never come here. Nothing is
// allocated after construction. One thread calls judge(); table() and counts() are for any.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <string_view>

#include "base/bucket_table.h"
#include "base/ip.h"
#include "base/prng.h"
#include "base/siphash.h"
#include "ntp/server/address_key.h"
#include "ntp/server/client_table.h"
#include "ntp/server/prefix_tree.h"

namespace timepool::ntp {

struct LimitSettings {
  bool enabled = false;  // otherwise clients are only remembered
  BucketRate address;
  std::array<BucketRate, kNetworkCount> networks;  // by Network
  BucketRate newcomers;                            // while they push each other out
  std::uint32_t leak = 0;                          // one of so many is answered; 0: none
  std::uint32_t kiss = 0;                          // one of so many dropped gets RATE; 0: none
  std::shared_ptr<const PrefixTree> exempt;        // value 1: not limited; null: nobody
};

enum class LimitVerdict : std::uint8_t { kPass, kDrop, kRate };

// Who asks.
struct Asker {
  IpAddress address;
  std::uint8_t version = 0;
  std::uint8_t mode = 0;
};

// What nobody outside may know.
struct LimiterSeed {
  SiphashKey hash{};
  std::uint64_t random = 0;
};

class RateLimiter {
 public:
  // Buckets of networks for each client: each has one or three, but only those hold a place that
  // are not full.
  static constexpr std::size_t kNetworksPerClient = 2;
  static constexpr std::size_t kOctetsPerClient =
      ClientTable::kOctets + kNetworksPerClient * BucketTable::kOctets;
  static_assert(kOctetsPerClient == 60);

  // Remembers `clients` addresses, in kOctetsPerClient each.
  RateLimiter(std::size_t clients, const LimiterSeed& seed);

  // Judges a request that came at `now`, which does not go back.
  LimitVerdict judge(const Asker& asker, MonoTime now, const LimitSettings& settings);

  // What happened besides the verdicts.
  enum class Event : std::uint8_t {
    kLeaked,     // answered although there was no token
    kSuspended,  // answered since dropping makes the client ask more
    kPushedOut,  // a newcomer took the place of another
    kUntracked,  // a newcomer found none
  };
  static constexpr std::size_t kEventCount = 4;
  std::uint64_t count(Event event) const {
    return counts_[static_cast<std::size_t>(event)].load(std::memory_order_relaxed);
  }
  const ClientTable& table() const { return table_; }
  // What its tables take once all of them has been used.
  std::size_t octets() const {
    return table_.clients() * ClientTable::kOctets + networks_.places() * BucketTable::kOctets;
  }

 private:
  struct Level {
    std::uint64_t hash = 0;
    const BucketRate* rate = nullptr;
    std::uint64_t* place = nullptr;
  };
  struct Visit {
    std::uint64_t now = 0;  // ticks
    std::uint64_t hash = 0;
    std::uint64_t v4_24_hash = 0;
    bool v4 = false;
    std::uint32_t index = ClientTable::kNone;
    Client client;
    bool newcomer = false;
    bool pushes_out = false;  // the place is that of somebody heard of just now
    bool crowded = false;     // it, or a network of it, finds no place that is free
    std::array<Level, 3> levels;
    std::size_t level_count = 0;
  };
  enum class Refusal : std::uint8_t { kNone, kAddress, kOther };

  void hash(Visit& visit) const;
  void add_level(std::uint64_t hash, const BucketRate& rate, Visit& visit);
  void meet(const Asker& asker, Visit& visit);
  void find_place(Visit& visit);
  void choose_levels(const LimitSettings& settings, Visit& visit);
  Refusal look_for_tokens(const LimitSettings& settings, Visit& visit);
  void take_tokens(const LimitSettings& settings, Visit& visit);
  LimitVerdict refuse(Refusal refusal, const LimitSettings& settings, const Visit& visit);
  void remember(bool dropped, Visit& visit);
  void note(Event event);
  bool one_of(std::uint32_t count) { return count != 0 && random_.below(count) == 0; }

  ClientTable table_;
  BucketTable networks_;
  std::uint64_t newcomers_ = 0;  // the moment of their common bucket
  BucketRate push_rate_;         // how often one takes the place of another
  std::uint64_t pushes_ = 0;
  MonoTime last_now_;
  std::uint64_t last_ticks_ = ticks_of(MonoTime());
  SiphashKey key_;
  Prng random_;
  std::array<std::atomic<std::uint64_t>, kEventCount> counts_{};
};

// "leaked", "suspended", "pushed_out", "untracked"
std::string_view name_of(RateLimiter::Event event);

}  // namespace timepool::ntp
