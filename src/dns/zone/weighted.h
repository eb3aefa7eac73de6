// Weighted choice without replacement: of n items, `take` are drawn one after the other, each draw
// among the items left in proportion to their weights. Items of weight 0 are drawn only when no
// other is left, and then with equal chance. The alias table (Vose 1991), built in integers, with
// rejection of items already drawn gives the same as drawing among the rest; a draw from it takes
// one random number, and errs by less than 2^-32 in an item's share of its column. No allocation in
// a draw.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "base/prng.h"

namespace timepool::dns {

// The most items that one draw takes: what is marked as drawn is searched linearly.
inline constexpr std::size_t kMaxTake = 256;
// Weights are kilobits per second in pool zones; the limit keeps n * sum below 2^64.
inline constexpr std::uint64_t kMaxWeight = 0xffff'ffff;
inline constexpr std::size_t kMaxItems = 65535;

struct AliasColumn {
  std::uint32_t threshold = 0;  // below it (of 2^32) the column's own item, else the other
  std::uint32_t other = 0;
};

// A set of items in borrowed arrays that were filled by build_alias.
struct WeightedItems {
  std::span<const std::uint32_t> weights;
  std::span<const AliasColumn> columns;  // empty for a set so small that it is scanned
  std::uint64_t sum = 0;
  std::uint32_t positive = 0;  // items of weight above 0
};

// Sets this small are faster scanned than drawn from columns.
inline constexpr std::size_t kScannedItems = 16;

// Fills `columns`, one for each weight. CHECKs the limits and that the sum isn't 0.
void build_alias(std::span<const std::uint32_t> weights, std::span<AliasColumn> columns);

// Writes the indexes of the items drawn, in the order drawn, to `out`: min(out.size(), n) of them,
// which must be at most kMaxTake. Returns their number.
std::size_t draw(const WeightedItems& items, Prng& prng, std::span<std::uint32_t> out);

}  // namespace timepool::dns
