// Subsets of k of n items by number: where a record set has so few possible answers that each is
// signed ahead, a draw finds its signature by this number. The order is that of the combinatorial
// number system: 0 for {0, 1, .. k-1}.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace timepool::dns {

// The most subsets that are told apart.
inline constexpr std::uint32_t kMaxSubsets = 1024;

// How many there are, 1 <= k <= n; kMaxSubsets + 1 for any number above kMaxSubsets.
std::uint32_t subset_count(std::uint32_t n, std::uint32_t k);

// The number of the subset `items`, each below `n` and once, in any order. Only where subset_count
// is at most kMaxSubsets.
std::uint32_t subset_number(std::uint32_t n, std::span<const std::uint32_t> items);

// The items of each subset in the order of their numbers, `k` of each behind each other.
std::vector<std::uint32_t> all_subsets(std::uint32_t n, std::uint32_t k);

}  // namespace timepool::dns
