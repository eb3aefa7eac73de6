// ResponseLimiter: how often one network gets the same kind of answer by UDP (response rate
// limiting), so that whoever asks in the name of another can't make this server flood that one.
//
// Answers are counted by what they say, not by what was asked: those with records by their name,
// denials and names that don't exist together by zone (a flood of random names is one kind),
// referrals by where they lead, errors all together. Each network and kind has a token bucket in a
// table of fixed size. Of answers without a token one of `slip` is sent all the same, cut to a TC
// bit or a BADCOOKIE, so that a client who really lies in that network comes again by TCP or with a
// cookie; the others are dropped.
//
// What came by TCP or with a cookie of ours has no made-up address and is never asked about here.
// No allocation after construction. One thread calls judge(); the counters are for any.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <span>

#include "base/bucket_table.h"
#include "base/ip.h"
#include "base/prng.h"
#include "base/runs.h"
#include "base/siphash.h"
#include "base/token_bucket.h"
#include "dns/answer_kind.h"

namespace timepool::dns {

// Addresses that are not limited.
class ExemptAddresses {
 public:
  ExemptAddresses() = default;
  explicit ExemptAddresses(std::span<const Prefix> prefixes);
  bool has(const IpAddress& address) const {
    return address.is_v4() ? v4_.value_at(v4_key(address)) != 0
                           : v6_.value_at(v6_key(address)) != 0;
  }

 private:
  Runs<V4Key> v4_;
  Runs<V6Key> v6_;
};

struct ResponseLimits {
  BucketRate rate;         // of each network and kind; the default is no limit
  std::uint32_t slip = 2;  // one of so many without a token is answered in short; 0: none
  int v4_bits = 24;        // 1 to 32: how much of an address is its network
  int v6_bits = 56;        // 1 to 64
  ExemptAddresses exempt;
};

enum class LimitVerdict : std::uint8_t { kPass, kSlip, kDrop };

class ResponseLimiter {
 public:
  // Buckets that a table may have: 8 octets each.
  static constexpr std::size_t kMaxPlaces = std::size_t{1} << 24;

  // `places` buckets; `key` and `random` are what nobody outside may know.
  ResponseLimiter(std::size_t places, const SiphashKey& key, std::uint64_t random)
      : buckets_(places), key_(key), random_(random) {}

  // Judges an answer of `kind` about `subject` (a name or a zone by its number; the same for the
  // same answers) to `client`, IPv4 not as ::ffff:0:0/96. `now` is ticks_of() of a clock that does
  // not go back.
  LimitVerdict judge(const IpAddress& client, AnswerKind kind, std::uint32_t subject,
                     std::uint64_t now, const ResponseLimits& limits);

  // Answers that passed since there was no place for one more bucket.
  std::uint64_t uncounted() const { return uncounted_.load(std::memory_order_relaxed); }

 private:
  std::uint64_t hash(const IpAddress& client, AnswerKind kind, std::uint32_t subject,
                     const ResponseLimits& limits) const;

  BucketTable buckets_;
  SiphashKey key_;
  Prng random_;
  std::atomic<std::uint64_t> uncounted_{0};
};

}  // namespace timepool::dns
