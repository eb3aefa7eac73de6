#include "base/bucket_table.h"

#include <algorithm>

namespace timepool {

BucketTable::BucketTable(std::size_t places)
    : sets_(std::max<std::size_t>((places + kWays - 1) / kWays, 1)),
      places_(make_zeroed<std::uint64_t>(sets_ * kWays)) {}

std::uint64_t* BucketTable::find(std::uint64_t hash, std::uint64_t now) {
  std::uint64_t* const set = places_.get() + first_of(hash);
  const std::uint64_t tag = hash & (~std::uint64_t{0} >> kMomentBits);
  for (std::size_t i = 0; i < kWays; ++i) {
    if (set[i] >> kMomentBits == tag) return &set[i];
  }
  std::uint64_t* unused = nullptr;
  for (std::size_t i = 0; i < kWays; ++i) {
    // Behind us, or further ahead than any bucket is deep.
    const std::uint64_t ahead = (set[i] - now) & kMomentMask;
    if (ahead == 0 || ahead > BucketRate::kMaxDepth) unused = &set[i];
  }
  if (unused != nullptr) *unused = tag << kMomentBits | (now & kMomentMask);
  return unused;
}

}  // namespace timepool
