// PrefixTree: a small number for every address, by the longest prefix that holds it. The prefixes
// are flattened once into runs of addresses behind an index of their first bits (base/runs.h), so
// that a look-up is a few steps over adjacent memory however many there are and however they nest.
// Immutable; any number of threads may read it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "base/ip.h"
#include "base/result.h"
#include "base/runs.h"

namespace timepool::ntp {

enum class PrefixTreeFault : std::uint8_t { kTooMany };

class PrefixTree {
 public:
  // An IPv6 prefix takes two runs of 20 octets at the most: a million stay under 40 MB.
  static constexpr std::size_t kMaxEntries = 1'000'000;

  struct Entry {
    Prefix prefix;
    std::uint32_t value = 0;
  };

  // Without entries everything has `background`.
  explicit PrefixTree(std::uint32_t background = 0) : v4_(background), v6_(background) {}
  // The longest prefix counts; of two that are the same the later. Addresses in none have
  // `background`. IPv4 and IPv6 are apart: ::ffff:0:0/96 says nothing about IPv4.
  static Result<PrefixTree, PrefixTreeFault> build(std::span<const Entry> entries,
                                                   std::uint32_t background = 0);

  std::uint32_t find(const IpAddress& address) const {
    return address.is_v4() ? v4_.value_at(v4_key(address)) : v6_.value_at(v6_key(address));
  }
  const Runs<V4Key>& v4() const { return v4_; }
  const Runs<V6Key>& v6() const { return v6_; }

 private:
  Runs<V4Key> v4_;
  Runs<V6Key> v6_;
};

}  // namespace timepool::ntp
