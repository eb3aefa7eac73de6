#include "load/latency_histogram.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "base/prng.h"

namespace timepool::load {
namespace {

TEST(LatencyHistogram, is_zero_when_empty) {
  const LatencyHistogram histogram;
  EXPECT_EQ(histogram.percentile(0.5), Duration());
  EXPECT_EQ(histogram.max(), Duration());
}

TEST(LatencyHistogram, percentiles_are_within_a_thirtieth_of_the_sorted_values) {
  Prng prng(7);
  LatencyHistogram histogram;
  std::vector<std::int64_t> values;
  for (int i = 0; i < 20'000; ++i) {
    const auto ns = static_cast<std::int64_t>(prng.below(1ULL << (1 + prng.below(34))));
    values.push_back(ns);
    histogram.record(Duration::nanoseconds(ns));
  }
  std::sort(values.begin(), values.end());
  for (const double fraction : {0.01, 0.1, 0.5, 0.9, 0.99, 0.999, 1.0}) {
    const auto rank = static_cast<std::size_t>(fraction * static_cast<double>(values.size()));
    const auto exact = static_cast<double>(values[std::max<std::size_t>(rank, 1) - 1]);
    const auto got = static_cast<double>(histogram.percentile(fraction).ns());
    EXPECT_NEAR(got, exact, exact / 30 + 1) << "fraction " << fraction;
  }
}

TEST(LatencyHistogram, takes_spans_out_of_range) {
  LatencyHistogram histogram;
  histogram.record(Duration::seconds(-1));
  histogram.record(Duration::max());
  EXPECT_EQ(histogram.count(), 2U);
  EXPECT_EQ(histogram.percentile(0.5), Duration());
  EXPECT_GT(histogram.percentile(1.0), Duration::seconds(60));
}

TEST(LatencyHistogram, merges) {
  LatencyHistogram one;
  LatencyHistogram two;
  one.record(Duration::microseconds(1));
  two.record(Duration::milliseconds(1), 3);
  one.merge(two);
  EXPECT_EQ(one.count(), 4U);
  EXPECT_EQ(one.max(), Duration::milliseconds(1));
  EXPECT_LT(one.percentile(0.25), Duration::microseconds(2));
}

}  // namespace
}  // namespace timepool::load
