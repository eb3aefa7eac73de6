#include "dns/signed/subset.h"

#include <algorithm>
#include <array>

#include "base/check.h"

namespace timepool::dns {
namespace {

// binomial(46, 2) is 1035: beyond that only subsets of one, and of all but one, are few enough.
constexpr std::uint32_t kTableItems = 46;
constexpr std::uint32_t kTooMany = kMaxSubsets + 1;
using Row = std::array<std::uint16_t, kTableItems + 1>;
constexpr std::array<Row, kTableItems + 1> make_table() {
  std::array<Row, kTableItems + 1> out{};
  for (std::uint32_t n = 0; n <= kTableItems; ++n) {
    out[n][0] = 1;
    for (std::uint32_t k = 1; k <= n; ++k) {
      const std::uint32_t sum = out[n - 1][k - 1] + (k < n ? out[n - 1][k] : 0U);
      out[n][k] = static_cast<std::uint16_t>(std::min(sum, kTooMany));
    }
  }
  return out;
}
constexpr std::array<Row, kTableItems + 1> kBinomial = make_table();

}  // namespace

std::uint32_t subset_count(std::uint32_t n, std::uint32_t k) {
  CHECK(k >= 1 && k <= n);
  if (k == n) return 1;
  if (k == 1 || k == n - 1) return std::min(n, kTooMany);
  return n > kTableItems ? kTooMany : kBinomial[n][k];
}

std::uint32_t subset_number(std::uint32_t n, std::span<const std::uint32_t> items) {
  const auto k = static_cast<std::uint32_t>(items.size());
  if (k == n) return 0;
  if (k == 1) return items[0];
  if (k == n - 1) {
    // All but one: the last is missing from the first of them.
    std::uint64_t missing = std::uint64_t{n} * (n - 1) / 2;
    for (const std::uint32_t item : items) missing -= item;
    return n - 1 - static_cast<std::uint32_t>(missing);
  }
  // The sum over items c of binomial(c, number of items up to c).
  std::uint32_t out = 0;
  for (const std::uint32_t item : items) {
    std::uint32_t place = 1;
    for (const std::uint32_t other : items) place += other < item ? 1U : 0U;
    out += place <= item ? kBinomial[item][place] : 0U;
  }
  return out;
}

std::vector<std::uint32_t> all_subsets(std::uint32_t n, std::uint32_t k) {
  const std::uint32_t count = subset_count(n, k);
  CHECK(count <= kMaxSubsets);
  std::vector<std::uint32_t> out(std::size_t{count} * k);
  std::vector<std::uint32_t> items(k);
  for (std::uint32_t i = 0; i < k; ++i) items[i] = i;
  for (std::uint32_t done = 0; done < count; ++done) {
    std::copy(items.begin(), items.end(),
              out.begin() + static_cast<std::ptrdiff_t>(subset_number(n, items)) * k);
    // The next: the first item that can go up goes up, those before it begin again.
    std::uint32_t i = 0;
    while (i < k && items[i] + 1 == (i + 1 < k ? items[i + 1] : n)) ++i;
    if (i == k) break;
    ++items[i];
    for (std::uint32_t j = 0; j < i; ++j) items[j] = j;
  }
  return out;
}

}  // namespace timepool::dns
