#include "ntp/sample_filter.h"

#include <gtest/gtest.h>

namespace timepool::ntp {
namespace {

Sample sample(std::int64_t offset_us, std::int64_t delay_us) {
  Sample out;
  out.offset = Duration::microseconds(offset_us);
  out.delay = Duration::microseconds(delay_us);
  return out;
}

KnownDelays known(std::int64_t least_us, std::int64_t scatter_us) {
  return {true, Duration::microseconds(least_us), Duration::microseconds(scatter_us)};
}

TEST(SampleFilter, lets_everything_through_when_off) {
  SampleFilter filter({});
  EXPECT_TRUE(filter.passes(sample(0, 1'000'000), known(1, 1)));
  EXPECT_EQ(filter.add(sample(7, 1))->offset, Duration::microseconds(7));
}

TEST(SampleFilter, max_delay_ratio_is_to_the_least_delay) {
  SampleFilterConfig config;
  config.max_delay_ratio = 3;
  SampleFilter filter(config);
  EXPECT_TRUE(filter.passes(sample(0, 5000), {}));
  EXPECT_TRUE(filter.passes(sample(0, 300), known(100, 1)));
  EXPECT_FALSE(filter.passes(sample(0, 301), known(100, 1)));
}

TEST(SampleFilter, max_delay_dev_ratio_is_half_the_excess_to_the_scatter) {
  SampleFilterConfig config;
  config.max_delay_dev_ratio = 2;
  SampleFilter filter(config);
  EXPECT_TRUE(filter.passes(sample(0, 139), known(100, 10)));
  EXPECT_FALSE(filter.passes(sample(0, 141), known(100, 10)));
}

TEST(SampleFilter, max_delay_quantile_keeps_that_share_of_the_fastest) {
  SampleFilterConfig config;
  config.max_delay_quantile = 0.25;
  SampleFilter filter(config);
  int passed = 0;
  for (int i = 0; i < 200; ++i) {
    const bool passes = filter.passes(sample(0, 100 + (i * 37) % 100), {});
    EXPECT_TRUE(passes || i >= 16) << "nothing is known yet";
    if (i >= 100 && passes) ++passed;
  }
  EXPECT_NEAR(passed, 25, 6);
}

TEST(SampleFilter, the_median_of_several_becomes_one) {
  SampleFilterConfig config;
  config.median_of = 3;
  SampleFilter filter(config);
  EXPECT_FALSE(filter.add(sample(900, 1)));
  EXPECT_FALSE(filter.add(sample(5, 2)));
  const auto out = filter.add(sample(6, 3));
  ASSERT_TRUE(out);
  EXPECT_EQ(out->offset, Duration::microseconds(6));
  EXPECT_FALSE(filter.add(sample(1, 1)));
  filter.clear();
  EXPECT_FALSE(filter.add(sample(1, 1)));
  EXPECT_FALSE(filter.add(sample(1, 1)));
  EXPECT_TRUE(filter.add(sample(1, 1)));
}

}  // namespace
}  // namespace timepool::ntp
