#include "base/bucket_table.h"

#include <algorithm>
#include <bit>
#include <utility>

namespace timepool {
namespace {

// A bit for each way that `is` says yes to.
template <class Is>
unsigned ways_that(const std::uint64_t* set, const Is& is) {
  return [&]<std::size_t... kWay>(std::index_sequence<kWay...>) {
    return ((static_cast<unsigned>(is(set[kWay])) << kWay) | ...);
  }(std::make_index_sequence<BucketTable::kWays>());
}

}  // namespace

BucketTable::BucketTable(std::size_t places)
    : sets_(std::max<std::size_t>((places + kWays - 1) / kWays, 1)),
      places_(make_zeroed<std::uint64_t>(sets_ * kWays)) {}

std::uint64_t* BucketTable::find(std::uint64_t hash, std::uint64_t now) {
  std::uint64_t* const set = places_.get() + first_of(hash);
  const std::uint64_t tag = hash << kMomentBits;
  // All eight without a branch: which of them it is nobody can predict.
  const unsigned same =
      ways_that(set, [tag](std::uint64_t it) { return (it ^ tag) <= kMomentMask; });
  if (same != 0) return set + std::countr_zero(same);
  // Behind us, or further ahead than any bucket is deep.
  const unsigned unused = ways_that(set, [now](std::uint64_t it) {
    return ((it - now) & kMomentMask) - 1 >= BucketRate::kMaxDepth;
  });
  if (unused == 0) return nullptr;
  std::uint64_t* const place = set + std::bit_width(unused) - 1;
  *place = tag | (now & kMomentMask);
  return place;
}

}  // namespace timepool
