#include "ntp/clock_filter.h"

#include <gtest/gtest.h>

namespace timepool::ntp {
namespace {

Sample sample_at(std::int64_t seconds, Duration offset, Duration delay) {
  Sample out;
  out.at.mono = MonoTime() + Duration::seconds(seconds);
  out.offset = offset;
  out.delay = delay;
  out.precision = -20;
  return out;
}

constexpr std::int64_t kPpb = 50'000;

TEST(ClockFilter, believes_the_sample_with_the_smallest_error_bound) {
  ClockFilter filter(kPpb);
  filter.add(sample_at(0, Duration::milliseconds(5), Duration::milliseconds(2)));
  filter.add(sample_at(2, Duration::milliseconds(40), Duration::milliseconds(80)));
  const Estimate got = filter.estimate(MonoTime() + Duration::seconds(2));
  EXPECT_EQ(got.sample.offset, Duration::milliseconds(5));
  EXPECT_GE(got.jitter, Duration::milliseconds(35));
}

TEST(ClockFilter, an_old_fast_sample_loses_to_a_fresh_slower_one) {
  ClockFilter filter(kPpb);
  filter.add(sample_at(0, Duration::milliseconds(5), Duration::milliseconds(2)));
  filter.add(sample_at(1000, Duration::milliseconds(7), Duration::milliseconds(20)));
  const Estimate got = filter.estimate(MonoTime() + Duration::seconds(1000));
  EXPECT_EQ(got.sample.offset, Duration::milliseconds(7));
}

TEST(ClockFilter, the_error_bound_grows_with_the_drift_of_our_clock) {
  ClockFilter filter(kPpb);
  filter.add(sample_at(0, {}, Duration::milliseconds(2)));
  const Duration fresh = filter.estimate(MonoTime()).distance;
  const Duration old = filter.estimate(MonoTime() + Duration::seconds(100)).distance;
  EXPECT_EQ(old - fresh, Duration::milliseconds(5));
}

TEST(ClockFilter, keeps_eight_samples) {
  ClockFilter filter(0);
  filter.add(sample_at(0, Duration::seconds(1), Duration::microseconds(1)));
  for (int i = 1; i <= 8; ++i) filter.add(sample_at(i, {}, Duration::milliseconds(5)));
  EXPECT_EQ(filter.size(), 8u);
  EXPECT_EQ(filter.estimate(MonoTime()).sample.offset, Duration());
}

}  // namespace
}  // namespace timepool::ntp
