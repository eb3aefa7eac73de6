#include "dns/rate_limit.h"

#include <vector>

#include "base/check.h"

namespace timepool::dns {
namespace {

template <class Key>
Runs<Key> runs_of(std::span<const Prefix> prefixes, bool v4) {
  std::vector<PrefixValue<Key>> out;
  for (const Prefix& prefix : prefixes) {
    if (prefix.base().is_v4() != v4) continue;
    out.push_back({key_of<Key>(prefix.base()), prefix.length(), 1});
  }
  return Runs<Key>::flatten(out);
}

// The first `bits` (1 to 64) of the address's first 64.
std::uint64_t network_of(const IpAddress& address, const ResponseLimits& limits) {
  if (address.is_v4()) {
    return address.v4_bits() & ~std::uint32_t{0} << (32 - limits.v4_bits);
  }
  return static_cast<std::uint64_t>(v6_key(address) >> 64) & ~std::uint64_t{0}
                                                                 << (64 - limits.v6_bits);
}

}  // namespace

ExemptAddresses::ExemptAddresses(std::span<const Prefix> prefixes)
    : v4_(runs_of<V4Key>(prefixes, true)), v6_(runs_of<V6Key>(prefixes, false)) {}

std::uint64_t ResponseLimiter::hash(const IpAddress& client, AnswerKind kind, std::uint32_t subject,
                                    const ResponseLimits& limits) const {
  const std::uint64_t what = std::uint64_t{subject} << 8 | static_cast<std::uint64_t>(kind) << 1 |
                             static_cast<std::uint64_t>(client.is_v4());
  return siphash13(key_, network_of(client, limits), what);
}

LimitVerdict ResponseLimiter::judge(const IpAddress& client, AnswerKind kind, std::uint32_t subject,
                                    std::uint64_t now, const ResponseLimits& limits) {
  if (!limits.rate.limits()) return LimitVerdict::kPass;
  const std::uint64_t hashed = hash(client, kind, subject, limits);
  std::uint64_t* const place = buckets_.find(hashed, now);
  if (place == nullptr) {
    // All eight that it could have are in use by others: to forget one of those would let it begin
    // anew.
    uncounted_.store(uncounted_.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
    return LimitVerdict::kPass;
  }
  const std::uint64_t moment = BucketTable::moment(*place);
  if (has_token(moment, now, limits.rate)) {
    BucketTable::set(*place, hashed, take_token(moment, now, limits.rate));
    return LimitVerdict::kPass;
  }
  if (limits.exempt.has(client)) return LimitVerdict::kPass;
  if (limits.slip != 0 && random_.below(limits.slip) == 0) return LimitVerdict::kSlip;
  return LimitVerdict::kDrop;
}

}  // namespace timepool::dns
