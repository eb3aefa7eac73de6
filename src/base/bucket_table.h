// BucketTable: token buckets of networks, eight octets each, in a table of fixed size. A place
// is picked by a keyed hash; eight places share a cache line. Only buckets that are not full hold a
// place, so that what is forgotten never mattered; where all eight are wanted, the ninth has none.
// One thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

#include "base/token_bucket.h"
#include "base/zeroed.h"

namespace timepool {

class BucketTable {
 public:
  static constexpr std::size_t kWays = 8;
  static constexpr std::size_t kOctets = sizeof(std::uint64_t);  // a place

  // At least kWays places; rounded up to a multiple of it.
  explicit BucketTable(std::size_t places);

  // Begins to bring the places of `hash` near.
  void prefetch(std::uint64_t hash) const { __builtin_prefetch(places_.get() + first_of(hash)); }
  // The place of the bucket of `hash`, or one that is free for it at `now`: a bucket that is full
  // by `rate` (depths of all users of the table are at most kMaxDepth) needs none. nullptr: all are
  // in use. Two networks in the same places are taken for one with a probability of 2^-24.
  std::uint64_t* find(std::uint64_t hash, std::uint64_t now);
  static std::uint64_t moment(const std::uint64_t& place) { return place & kMomentMask; }
  static void set(std::uint64_t& place, std::uint64_t hash, std::uint64_t moment) {
    place = hash << kMomentBits | moment;
  }

  std::size_t places() const { return sets_ * kWays; }

 private:
  // The upper half of the hash picks the set, the lower has the tag.
  std::size_t first_of(std::uint64_t hash) const {
    return static_cast<std::size_t>((hash >> 32) * sets_ >> 32) * kWays;
  }

  std::size_t sets_;
  Zeroed<std::uint64_t> places_;  // a tag of 24 bits, a moment of 40
};

}  // namespace timepool
