#include "ntp/refclock_filter.h"

#include <gtest/gtest.h>

#include "base/prng.h"

namespace timepool::ntp {
namespace {

constexpr std::int64_t kStart = 1'790'000'000;

RefclockPoint point(double at, double offset) {
  return {UnixTime::from_seconds(kStart) + Duration::from_seconds(at),
          Duration::from_seconds(offset), Duration::microseconds(1), wire::ntp::Leap::kNone};
}

double seconds_of(const RefclockMean& mean) {
  return (mean.point.at - UnixTime::from_seconds(kStart)).to_seconds();
}

TEST(RefclockFilter, waits_for_four_readings_or_for_all_that_it_keeps) {
  RefclockFilter filter(64);
  for (int i = 0; i < 3; ++i) filter.add(point(i, 0));
  EXPECT_FALSE(filter.mean().has_value());
  filter.add(point(3, 0));
  EXPECT_TRUE(filter.mean().has_value());

  RefclockFilter single(1);
  EXPECT_FALSE(single.mean().has_value());
  single.add(point(0, 0.5));
  ASSERT_TRUE(single.mean().has_value());
  EXPECT_EQ(single.mean()->point.offset, Duration::milliseconds(500));
}

TEST(RefclockFilter, keeps_the_newest_readings) {
  RefclockFilter filter(4);
  for (int i = 0; i < 10; ++i) filter.add(point(i, i < 6 ? 9.0 : 0.25));
  EXPECT_EQ(filter.size(), 4U);
  ASSERT_TRUE(filter.mean().has_value());
  EXPECT_EQ(filter.mean()->point.offset, Duration::milliseconds(250));
  EXPECT_DOUBLE_EQ(seconds_of(*filter.mean()), 7.5);
  EXPECT_EQ(filter.mean()->left_out, 0U);
}

TEST(RefclockFilter, averages_readings_that_agree) {
  RefclockFilter filter(64);
  for (int i = 0; i < 16; ++i) filter.add(point(i, 0.1 + (i % 2 == 0 ? 1e-6 : -1e-6)));
  const auto mean = filter.mean();
  ASSERT_TRUE(mean.has_value());
  EXPECT_EQ(mean->used, 16U);
  EXPECT_LT((mean->point.offset - Duration::milliseconds(100)).abs(), Duration::nanoseconds(10));
  EXPECT_GE(mean->scatter, Duration::nanoseconds(900));
  EXPECT_LE(mean->scatter, Duration::nanoseconds(1200));
  // The readings' own dispersion and the scatter's part.
  EXPECT_GT(mean->point.dispersion, Duration::nanoseconds(1200));
  EXPECT_LT(mean->point.dispersion, Duration::nanoseconds(1400));
}

TEST(RefclockFilter, leaves_outliers_out_while_the_clock_runs_away) {
  // 100 us a second, the noise 1 us, a quarter of the readings 40 ms to 80 ms off.
  RefclockFilter filter(64);
  Prng prng(7);
  for (int i = 0; i < 16; ++i) {
    const double noise = 1e-6 * (static_cast<double>(prng.below(2001)) / 1000 - 1);
    const bool wild = i % 4 == 1;
    filter.add(point(i, -1e-4 * i + noise + (wild ? 0.04 + 0.01 * (i / 4) : 0)));
  }
  const auto mean = filter.mean();
  ASSERT_TRUE(mean.has_value());
  EXPECT_EQ(mean->left_out, 4U);
  const double truth = -1e-4 * seconds_of(*mean);
  EXPECT_NEAR(mean->point.offset.to_seconds(), truth, 2e-6);
}

TEST(RefclockFilter, a_frequency_error_alone_makes_no_outliers) {
  RefclockFilter filter(64);
  for (int i = 0; i < 64; ++i) filter.add(point(i, 5e-4 * i));
  const auto mean = filter.mean();
  ASSERT_TRUE(mean.has_value());
  EXPECT_EQ(mean->used, 64U);
  EXPECT_LT(mean->scatter, Duration::microseconds(1));
  EXPECT_NEAR(mean->point.offset.to_seconds(), 5e-4 * seconds_of(*mean), 1e-9);
}

TEST(RefclockFilter, readings_that_are_equal_are_no_outliers) {
  RefclockFilter filter(8);
  for (int i = 0; i < 8; ++i) filter.add(point(i, 1.0 / 3));
  ASSERT_TRUE(filter.mean().has_value());
  EXPECT_EQ(filter.mean()->used, 8U);
}

TEST(RefclockFilter, extreme_offsets_do_not_overflow) {
  RefclockFilter filter(8);
  for (int i = 0; i < 8; ++i) filter.add(point(i, i % 2 == 0 ? 2e9 : -2e9));
  EXPECT_TRUE(filter.mean().has_value());
}

}  // namespace
}  // namespace timepool::ntp
