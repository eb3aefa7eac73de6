#include "ntp/combine.h"

#include <gtest/gtest.h>

#include <array>
#include <cmath>

namespace timepool::ntp {
namespace {

const LocalTime kNow = {MonoTime::from_ns(9'000'000'000), UnixTime::from_seconds(1'700'000'000)};

Estimate estimate(Duration offset, double offset_sd, Duration delay = Duration::microseconds(1)) {
  Estimate out;
  out.at = kNow;
  out.last_offset = offset;
  out.offset_sd = offset_sd;
  out.frequency_sd = 1e-6;
  out.sample.delay = delay;
  return out;
}

TEST(Combine, nothing_makes_nothing) {
  EXPECT_FALSE(combine({}, kNow));
}

TEST(Combine, one_source_is_taken_as_it_is) {
  Estimate one = estimate(Duration::milliseconds(7), 1e-4);
  one.frequency = 3e-6;
  one.has_frequency = true;
  const LocalTime later = {kNow.mono + Duration::seconds(1000), kNow.raw + Duration::seconds(1000)};
  const auto out = combine(std::span(&one, 1), later);
  ASSERT_TRUE(out);
  EXPECT_EQ(out->at.raw, later.raw);
  EXPECT_EQ(out->offset, Duration::milliseconds(7) + Duration::milliseconds(3));
  EXPECT_TRUE(out->has_frequency);
  EXPECT_NEAR(out->frequency, 3e-6, 1e-15);
  EXPECT_NEAR(out->offset_sd, 1e-4, 1e-12);
}

TEST(Combine, weighs_by_the_inverse_of_the_variance) {
  const std::array two = {estimate(Duration::microseconds(0), 1e-3),
                          estimate(Duration::microseconds(1000), 0.5e-3)};
  const auto out = combine(two, kNow);
  EXPECT_NEAR(out->offset.to_seconds(), 800e-6, 2e-6);
  EXPECT_NEAR(out->offset_sd, 1e-3 / std::sqrt(5.0), 1e-6);
}

// However quiet the long way is: half of it may lie on one side.
TEST(Combine, a_near_source_counts_for_more_than_a_quiet_far_one) {
  const std::array two = {estimate(Duration::microseconds(0), 2e-5, Duration::microseconds(200)),
                          estimate(Duration::milliseconds(2), 1e-6, Duration::milliseconds(100))};
  EXPECT_LT(combine(two, kNow)->offset, Duration::microseconds(1));
}

TEST(Combine, a_source_without_a_frequency_lends_none) {
  std::array two = {estimate(Duration(), 1e-4), estimate(Duration(), 1e-4)};
  two[0].frequency = 1;
  two[1].frequency = 2e-6;
  two[1].has_frequency = true;
  EXPECT_NEAR(combine(two, kNow)->frequency, 2e-6, 1e-15);
}

}  // namespace
}  // namespace timepool::ntp
