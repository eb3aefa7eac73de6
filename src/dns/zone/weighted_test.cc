#include "dns/zone/weighted.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <vector>

namespace timepool::dns {
namespace {

// Owns what WeightedItems borrows.
struct Set {
  std::vector<std::uint32_t> weights;
  std::vector<AliasColumn> columns;
  WeightedItems items;

  explicit Set(std::vector<std::uint32_t> w, bool alias) : weights(std::move(w)) {
    for (const std::uint32_t weight : weights) {
      items.sum += weight;
      items.positive += weight > 0;
    }
    if (alias) {
      columns.resize(weights.size());
      build_alias(weights, columns);
    }
    items.weights = weights;
    items.columns = columns;
  }
};

// The probability of each ordered draw, by the definition.
void enumerate(const std::vector<std::uint32_t>& weights, std::vector<std::uint32_t>& drawn,
               std::size_t take, double p, std::map<std::vector<std::uint32_t>, double>& out) {
  if (drawn.size() == take) {
    out[drawn] += p;
    return;
  }
  double left = 0;
  for (std::uint32_t i = 0; i < weights.size(); ++i) {
    if (std::find(drawn.begin(), drawn.end(), i) == drawn.end()) left += weights[i];
  }
  for (std::uint32_t i = 0; i < weights.size(); ++i) {
    if (weights[i] == 0 || std::find(drawn.begin(), drawn.end(), i) != drawn.end()) continue;
    drawn.push_back(i);
    enumerate(weights, drawn, take, p * weights[i] / left, out);
    drawn.pop_back();
  }
}

// Chi-square of the ordered draws against the definition; 60,000 draws, seed given.
void expect_exact(std::vector<std::uint32_t> weights, std::size_t take, bool alias) {
  constexpr std::uint64_t kSeed = 20261121;
  constexpr int kDraws = 60'000;
  SCOPED_TRACE("seed " + std::to_string(kSeed));
  const Set set(weights, alias);
  std::map<std::vector<std::uint32_t>, double> expected;
  std::vector<std::uint32_t> scratch;
  enumerate(weights, scratch, take, 1.0, expected);
  std::map<std::vector<std::uint32_t>, int> seen;
  Prng prng(kSeed);
  std::vector<std::uint32_t> out(take);
  for (int i = 0; i < kDraws; ++i) {
    ASSERT_EQ(draw(set.items, prng, out), take);
    ++seen[out];
  }
  double chi = 0;
  double cells = 0;
  double rest_expected = 0;
  int rest_seen = kDraws;
  for (const auto& [order, p] : expected) {
    if (p * kDraws < 10) {
      rest_expected += p * kDraws;
      continue;
    }
    const double difference = seen[order] - p * kDraws;
    chi += difference * difference / (p * kDraws);
    rest_seen -= seen[order];
    ++cells;
  }
  if (rest_expected >= 10) {
    chi += (rest_seen - rest_expected) * (rest_seen - rest_expected) / rest_expected;
    ++cells;
  }
  // Five standard deviations of a chi-square with `cells - 1` degrees of freedom.
  EXPECT_LT(chi, (cells - 1) + 5 * std::sqrt(2 * (cells - 1)) + 5);
}

TEST(Weighted, draws_have_the_exact_distribution_by_scan) {
  expect_exact({1, 2, 3, 4}, 2, false);
  expect_exact({1, 1, 1, 97}, 3, false);
  expect_exact({5, 5, 5}, 3, false);
}

TEST(Weighted, draws_have_the_exact_distribution_by_alias_table) {
  expect_exact({1, 2, 3, 4}, 2, true);
  expect_exact({1, 1, 1, 97}, 3, true);
  expect_exact({10, 20, 30, 40, 50, 0}, 3, true);
  expect_exact({1, 100000, 1, 1}, 2, true);
}

TEST(Weighted, never_draws_an_item_twice_and_takes_all_when_asked) {
  std::vector<std::uint32_t> weights(100);
  Prng prng(7);
  for (auto& weight : weights) weight = static_cast<std::uint32_t>(prng.below(1000));
  weights[3] = 0xffff'ffff;  // the largest that a zone may give
  const Set set(weights, true);
  for (std::size_t take : {std::size_t{1}, std::size_t{4}, std::size_t{99}, std::size_t{200}}) {
    std::vector<std::uint32_t> out(take);
    const std::size_t count = draw(set.items, prng, out);
    ASSERT_EQ(count, std::min<std::size_t>(take, 100));
    out.resize(count);
    std::sort(out.begin(), out.end());
    EXPECT_EQ(std::adjacent_find(out.begin(), out.end()), out.end());
  }
}

TEST(Weighted, items_without_weight_come_last) {
  const Set set({0, 5, 0, 7, 0}, true);
  Prng prng(3);
  std::vector<int> zero_third(5);
  for (int i = 0; i < 3000; ++i) {
    std::vector<std::uint32_t> out(3);
    draw(set.items, prng, out);
    EXPECT_NE(set.weights[out[0]], 0U);
    EXPECT_NE(set.weights[out[1]], 0U);
    ++zero_third[out[2]];
  }
  for (const int i : {0, 2, 4}) EXPECT_NEAR(zero_third[static_cast<std::size_t>(i)], 1000, 150);
}

TEST(Weighted, an_empty_set_draws_nothing) {
  const Set set({}, false);
  Prng prng(1);
  std::vector<std::uint32_t> out(4);
  EXPECT_EQ(draw(set.items, prng, out), 0U);
}

}  // namespace
}  // namespace timepool::dns
