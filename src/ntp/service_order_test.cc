#include "ntp/service_order.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>

namespace timepool::ntp {
namespace {

constexpr int kDraws = 40'000;
// Of chi square, one in a hundred thousand, for 1 to 4 degrees of freedom.
constexpr double kLimits[] = {0, 19.5, 23.0, 25.9, 28.5};

ServiceTarget target(const char* name, std::uint16_t priority, std::uint16_t weight) {
  return {name, 4460, priority, weight};
}

// How often each is first.
std::vector<int> firsts(const std::vector<ServiceTarget>& targets) {
  RandomStream random({3, 4});
  std::vector<int> out(targets.size());
  for (int i = 0; i < kDraws; ++i) ++out[service_order(targets, random).front()];
  return out;
}

double chi_square(const std::vector<int>& counts, const std::vector<double>& shares) {
  double out = 0;
  for (std::size_t i = 0; i < counts.size(); ++i) {
    const double expected = shares[i] * kDraws;
    out += (counts[i] - expected) * (counts[i] - expected) / expected;
  }
  return out;
}

TEST(ServiceOrder, LC7_each_target_once_by_priority) {
  RandomStream random({1, 2});
  const std::vector<ServiceTarget> all = {target("c", 20, 5), target("a", 10, 1),
                                          target("d", 30, 0), target("b", 10, 7)};
  for (int i = 0; i < 100; ++i) {
    std::vector<std::size_t> order = service_order(all, random);
    ASSERT_EQ(order.size(), 4U);
    EXPECT_EQ(order[2], 0U);
    EXPECT_EQ(order[3], 2U);
    std::sort(order.begin(), order.end());
    EXPECT_EQ(order, (std::vector<std::size_t>{0, 1, 2, 3}));
  }
}

// RFC 2782: a running sum that reaches a number from 0 to the sum; 0 is the first's too where no
// weight is 0.
TEST(ServiceOrder, LC7_the_first_is_drawn_in_proportion_to_its_weight) {
  const std::vector<int> counts =
      firsts({target("a", 0, 10), target("b", 0, 20), target("c", 0, 70)});
  EXPECT_LT(chi_square(counts, {11.0 / 101, 20.0 / 101, 70.0 / 101}), kLimits[2]);
  EXPECT_GT(counts[2], 3 * counts[1]);
}

TEST(ServiceOrder, LC7_a_weight_of_zero_has_a_small_chance) {
  const std::vector<int> counts = firsts({target("a", 0, 99), target("b", 0, 0)});
  EXPECT_LT(chi_square(counts, {99.0 / 100, 1.0 / 100}), kLimits[1]);
  EXPECT_GT(counts[1], 0);
}

TEST(ServiceOrder, LC7_all_of_weight_zero_are_alike) {
  const std::vector<int> counts = firsts({target("a", 0, 0), target("b", 0, 0), target("c", 0, 0),
                                          target("d", 0, 0), target("e", 0, 0)});
  EXPECT_LT(chi_square(counts, {0.2, 0.2, 0.2, 0.2, 0.2}), kLimits[4]);
}

TEST(ServiceOrder, LC7_the_second_is_drawn_among_the_rest) {
  const std::vector<ServiceTarget> all = {target("a", 0, 1000), target("b", 0, 300),
                                          target("c", 0, 700)};
  RandomStream random({5, 6});
  int b_second = 0;
  int a_first = 0;
  for (int i = 0; i < kDraws; ++i) {
    const std::vector<std::size_t> order = service_order(all, random);
    if (order[0] != 0) continue;
    ++a_first;
    if (order[1] == 1) ++b_second;
  }
  EXPECT_NEAR(static_cast<double>(b_second) / a_first, 301.0 / 1001, 0.015);
}

TEST(ServiceOrder, nothing_gives_nothing) {
  RandomStream random({1, 2});
  EXPECT_TRUE(service_order({}, random).empty());
}

TEST(ServiceOrder, the_greatest_weights_do_not_overflow) {
  RandomStream random({1, 2});
  const std::vector<ServiceTarget> all(kMaxTargets, target("a", 0, 65535));
  EXPECT_EQ(service_order(all, random).size(), kMaxTargets);
}

}  // namespace
}  // namespace timepool::ntp
