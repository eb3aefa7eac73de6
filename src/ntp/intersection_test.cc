#include "ntp/intersection.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <vector>

namespace timepool::ntp {
namespace {

Interval ms(std::int64_t low, std::int64_t high) {
  return {Duration::milliseconds(low), Duration::milliseconds(high)};
}
Intersection of(const std::vector<Interval>& intervals) {
  Intersection out;
  for (const Interval& interval : intervals) EXPECT_TRUE(out.add(interval));
  return out;
}

TEST(Intersection, of_nothing_is_nothing) {
  EXPECT_EQ(Intersection().most(), 0u);
  EXPECT_TRUE(Intersection().stretches(1).empty());
}

TEST(Intersection, intervals_that_touch_meet_in_a_point) {
  const Intersection two = of({ms(0, 5), ms(5, 9)});
  EXPECT_EQ(two.most(), 2u);
  ASSERT_EQ(two.stretches(2).size(), 1u);
  EXPECT_EQ(two.stretches(2)[0], ms(5, 5));
}

TEST(Intersection, where_two_groups_are_as_large_both_are_told) {
  const Intersection five = of({ms(0, 4), ms(1, 3), ms(6, 9), ms(7, 8), ms(-20, 20)});
  EXPECT_EQ(five.most(), 3u);
  const auto groups = five.stretches(3);
  ASSERT_EQ(groups.size(), 2u);
  EXPECT_EQ(groups[0], ms(1, 3));
  EXPECT_EQ(groups[1], ms(7, 8));
  EXPECT_EQ(five.hull(3), ms(1, 8));
}

TEST(Intersection, takes_no_more_than_its_limit) {
  Intersection all;
  for (std::size_t i = 0; i < kMaxCandidates; ++i) EXPECT_TRUE(all.add(ms(0, 1)));
  EXPECT_FALSE(all.add(ms(0, 1)));
  EXPECT_EQ(all.most(), kMaxCandidates);
}

RC_GTEST_PROP(Intersection, counts_as_a_count_at_each_edge_does, ()) {
  const auto n = *rc::gen::inRange<std::size_t>(1, 20);
  std::vector<Interval> all;
  Intersection got;
  for (std::size_t i = 0; i < n; ++i) {
    const std::int64_t low = *rc::gen::inRange(-20, 20);
    all.push_back(ms(low, low + *rc::gen::inRange(0, 15)));
    RC_ASSERT(got.add(all.back()));
  }
  const auto depth = [&](Duration at) {
    std::size_t out = 0;
    for (const Interval& it : all) out += it.low <= at && at <= it.high ? 1u : 0u;
    return out;
  };
  std::size_t most = 0;
  for (const Interval& it : all) most = std::max({most, depth(it.low), depth(it.high)});
  RC_ASSERT(got.most() == most);
  const auto count = *rc::gen::inRange<std::size_t>(1, most + 1);
  const auto stretches = got.stretches(count);
  for (std::int64_t half = -50; half < 80; ++half) {
    const Duration at = Duration::microseconds(half * 500);
    const bool inside = std::any_of(stretches.begin(), stretches.end(), [&](const Interval& it) {
      return it.low <= at && at <= it.high;
    });
    RC_ASSERT(inside == (depth(at) >= count));
  }
}

}  // namespace
}  // namespace timepool::ntp
