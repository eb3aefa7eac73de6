#include "dns/zone/weighted.h"

#include <algorithm>
#include <optional>
#include <vector>

#include "base/check.h"

namespace timepool::dns {
namespace {

// Most draws are of four: a plain loop.
inline bool contains(std::span<const std::uint32_t> drawn, std::uint32_t item) {
  for (const std::uint32_t other : drawn) {
    if (other == item) return true;
  }
  return false;
}

// One draw among the items of positive weight that are not in `drawn`; `left` is their sum.
std::uint32_t scan(const WeightedItems& items, std::span<const std::uint32_t> drawn,
                   std::uint64_t left, Prng& prng) {
  std::uint64_t at = prng.below(left);
  for (std::uint32_t i = 0; i < items.weights.size(); ++i) {
    if (contains(drawn, i)) continue;
    if (at < items.weights[i]) return i;
    at -= items.weights[i];
  }
  CHECK(false);  // the weights of the items left sum to `left`
  return 0;
}

// The k-th of the items of weight 0 that are not in `drawn`.
std::uint32_t nth_without_weight(const WeightedItems& items, std::span<const std::uint32_t> drawn,
                                 std::uint64_t k) {
  for (std::uint32_t i = 0; i < items.weights.size(); ++i) {
    if (items.weights[i] != 0 || contains(drawn, i)) continue;
    if (k == 0) return i;
    --k;
  }
  CHECK(false);  // there are more than k
  return 0;
}

// The item that one random number leads to: its column is the whole part of a random multiple of
// their number, and what is left of it decides within the column. A choice that no processor
// could foresee, so it is one of values, not of ways.
inline std::uint32_t item_of(std::span<const AliasColumn> columns, std::uint64_t number) {
  const std::uint64_t place = (number >> 16) * columns.size();
  const auto own = static_cast<std::uint32_t>(place >> 48);
  const AliasColumn column = columns[own];
  const std::uint32_t takes_own =
      0 - static_cast<std::uint32_t>(static_cast<std::uint32_t>(place >> 16) < column.threshold);
  return column.other ^ ((own ^ column.other) & takes_own);
}

// The size of most answers. Four numbers at once: when they lead to four items, these are what
// draws one after the other give. False when two are equal; the numbers are as they were then.
bool draw_four(std::span<const AliasColumn> columns, Prng& prng, std::span<std::uint32_t, 4> out) {
  Prng numbers = prng;
  const std::uint32_t a = item_of(columns, numbers.next());
  const std::uint32_t b = item_of(columns, numbers.next());
  const std::uint32_t c = item_of(columns, numbers.next());
  const std::uint32_t d = item_of(columns, numbers.next());
  // No short cut: one jump that is foreseen.
  const bool equal = (a == b) | (a == c) | (a == d) | (b == c) | (b == d) | (c == d);
  if (equal) return false;
  out[0] = a;
  out[1] = b;
  out[2] = c;
  out[3] = d;
  prng = numbers;
  return true;
}

// One draw by the columns, or nothing where they gave drawn items alone.
inline std::optional<std::uint32_t> draw_column(std::span<const AliasColumn> columns,
                                                std::span<const std::uint32_t> drawn, Prng& prng) {
  // Past this many hits on drawn items the weights are so uneven that a scan is cheaper.
  constexpr int kMaxRejected = 12;
  for (int i = 0; i <= kMaxRejected; ++i) {
    const std::uint32_t item = item_of(columns, prng.next());
    if (!contains(drawn, item)) return item;
  }
  return std::nullopt;
}

std::uint32_t draw_scanning(const WeightedItems& items, std::span<const std::uint32_t> drawn,
                            Prng& prng) {
  std::uint64_t left = items.sum;
  for (const std::uint32_t item : drawn) left -= items.weights[item];
  return scan(items, drawn, left, prng);
}

// `mass` of `sum` as a share of 2^32; the sum itself is as near as 32 bits come to the whole.
std::uint32_t share(std::uint64_t mass, std::uint64_t sum) {
  __extension__ using Wide = unsigned __int128;
  const auto out = static_cast<std::uint64_t>((static_cast<Wide>(mass) << 32) / sum);
  return static_cast<std::uint32_t>(std::min<std::uint64_t>(out, 0xffff'ffff));
}

}  // namespace

void build_alias(std::span<const std::uint32_t> weights, std::span<AliasColumn> columns) {
  CHECK(weights.size() == columns.size() && weights.size() <= kMaxItems);
  std::uint64_t sum = 0;
  for (const std::uint32_t weight : weights) sum += weight;
  CHECK(sum > 0);
  // A column holds `sum`; item i brings weights[i] * n, so the total is n * sum as it must be:
  // below 2^16 * 2^48.
  std::vector<std::uint64_t> mass(weights.size());
  std::vector<std::uint32_t> small;
  std::vector<std::uint32_t> large;
  for (std::uint32_t i = 0; i < weights.size(); ++i) {
    mass[i] = std::uint64_t{weights[i]} * weights.size();
    (mass[i] < sum ? small : large).push_back(i);
  }
  while (!small.empty() && !large.empty()) {
    const std::uint32_t poor = small.back();
    const std::uint32_t rich = large.back();
    small.pop_back();
    columns[poor] = {share(mass[poor], sum), rich};
    mass[rich] -= sum - mass[poor];
    if (mass[rich] < sum) {
      large.pop_back();
      small.push_back(rich);
    }
  }
  // Integers leave no remainder: what is left is full.
  for (const std::uint32_t i : large) columns[i] = {share(sum, sum), i};
  CHECK(small.empty());
}

std::size_t draw(const WeightedItems& items, Prng& prng, std::span<std::uint32_t> out) {
  const std::size_t take = std::min(out.size(), items.weights.size());
  CHECK(take <= kMaxTake);
  const std::size_t weighted = std::min<std::size_t>(take, items.positive);
  if (take == 4 && weighted == 4 && !items.columns.empty() &&
      draw_four(items.columns, prng, out.first<4>())) {
    return take;
  }
  // A copy that no store to `out` can change, so that it stays in registers.
  Prng numbers = prng;
  for (std::size_t i = 0; i < weighted; ++i) {
    const auto drawn = std::span<const std::uint32_t>(out).first(i);
    std::optional<std::uint32_t> item;
    if (!items.columns.empty()) item = draw_column(items.columns, drawn, numbers);
    out[i] = item ? *item : draw_scanning(items, drawn, numbers);
  }
  for (std::size_t i = weighted; i < take; ++i) {
    const auto drawn = std::span<const std::uint32_t>(out).first(i);
    out[i] = nth_without_weight(items, drawn, numbers.below(items.weights.size() - i));
  }
  prng = numbers;
  return take;
}

}  // namespace timepool::dns
