#include "dns/signed/subset.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

namespace timepool::dns {
namespace {

TEST(Subset, each_has_a_number_of_its_own_in_any_order_of_its_items) {
  for (std::uint32_t n = 1; n <= 60; ++n) {
    for (std::uint32_t k = 1; k <= n; ++k) {
      const std::uint32_t count = subset_count(n, k);
      if (count > kMaxSubsets) continue;
      const std::vector<std::uint32_t> all = all_subsets(n, k);
      ASSERT_EQ(all.size(), std::size_t{count} * k);
      std::set<std::vector<std::uint32_t>> seen;
      for (std::uint32_t i = 0; i < count; ++i) {
        std::vector<std::uint32_t> items(all.begin() + i * k, all.begin() + (i + 1) * k);
        ASSERT_EQ(subset_number(n, items), i) << n << " " << k;
        std::reverse(items.begin(), items.end());
        ASSERT_EQ(subset_number(n, items), i) << n << " " << k;
        std::sort(items.begin(), items.end());
        ASSERT_LT(items.back(), n);
        ASSERT_TRUE(std::adjacent_find(items.begin(), items.end()) == items.end());
        ASSERT_TRUE(seen.insert(items).second);
      }
    }
  }
}

TEST(Subset, counts_are_binomial_up_to_the_limit) {
  EXPECT_EQ(subset_count(8, 4), 70U);
  EXPECT_EQ(subset_count(45, 2), 990U);
  EXPECT_GT(subset_count(46, 2), kMaxSubsets);
  EXPECT_GT(subset_count(65535, 4), kMaxSubsets);
  EXPECT_EQ(subset_count(1000, 1), 1000U);
  EXPECT_EQ(subset_count(1000, 999), 1000U);
  EXPECT_EQ(subset_count(65535, 65535), 1U);
  EXPECT_GT(subset_count(2000, 1), kMaxSubsets);
}

}  // namespace
}  // namespace timepool::dns
