#include "base/token_bucket.h"

#include <gtest/gtest.h>

namespace timepool {
namespace {

constexpr std::uint64_t kStart = 1000 * kTicksPerSecond;

// How many tokens the bucket gives at once.
int drain(std::uint64_t& moment, std::uint64_t now, const BucketRate& rate) {
  int out = 0;
  for (; out < 100'000 && has_token(moment, now, rate); ++out) {
    moment = take_token(moment, now, rate);
  }
  return out;
}

TEST(TokenBucket, gives_its_burst_and_then_its_rate) {
  const BucketRate rate = BucketRate::of(10, 50);
  std::uint64_t moment = 0;
  EXPECT_EQ(drain(moment, kStart, rate), 50);
  EXPECT_EQ(drain(moment, kStart + kTicksPerSecond, rate), 10);
  EXPECT_EQ(drain(moment, kStart + 11 * kTicksPerSecond, rate), 50);
}

TEST(TokenBucket, a_moment_that_has_passed_is_a_full_bucket) {
  const BucketRate rate = BucketRate::of(1, 4);
  for (std::uint64_t past : {std::uint64_t{0}, kStart - 1, kStart}) {
    EXPECT_EQ(drain(past, kStart, rate), 4);
  }
}

TEST(TokenBucket, works_where_its_counter_goes_round) {
  const BucketRate rate = BucketRate::of(2, 8);
  const std::uint64_t now = kMomentMask + 1 - kTicksPerSecond;
  std::uint64_t moment = (now - 1) & kMomentMask;
  EXPECT_EQ(drain(moment, now, rate), 8);
  EXPECT_LT(moment, now) << "it went round";
  EXPECT_EQ(drain(moment, now, rate), 0);
  EXPECT_EQ(drain(moment, now + 2 * kTicksPerSecond, rate), 4);
}

TEST(TokenBucket, what_is_further_ahead_than_it_is_deep_is_full) {
  const BucketRate rate = BucketRate::of(1, 4);
  std::uint64_t moment = kStart + 5 * kTicksPerSecond;
  EXPECT_EQ(drain(moment, kStart, rate), 4);
}

TEST(TokenBucket, without_a_rate_there_is_no_limit) {
  EXPECT_FALSE(BucketRate::of(0, 100).limits());
  EXPECT_FALSE(BucketRate::of(-1, 100).limits());
  EXPECT_TRUE(BucketRate::of(1e-9, 0).limits());
  EXPECT_TRUE(BucketRate::of(1e9, 1e9).limits());
}

TEST(TokenBucket, is_never_deeper_than_a_day) {
  const BucketRate rate = BucketRate::of(0.001, 1e9);
  EXPECT_EQ(rate.depth, BucketRate::kMaxDepth);
}

TEST(TokenBucket, ticks_are_those_of_the_clock) {
  EXPECT_EQ(ticks_of(MonoTime::from_ns(0)), 0U);
  EXPECT_EQ(ticks_of(MonoTime::from_ns(1'500'000'000)), 3 * kTicksPerSecond / 2);
  EXPECT_EQ(ticks_of(MonoTime::from_ns(999'999'999)), kTicksPerSecond - 1);
  EXPECT_GT(ticks_of(MonoTime::max()), kMomentMask);
}

}  // namespace
}  // namespace timepool
