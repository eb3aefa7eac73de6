#include "sim/rate_watch.h"

#include <gtest/gtest.h>

namespace timepool::sim {
namespace {

class RateWatchTest : public testing::Test {
 protected:
  bool ask(int seconds) {
    now_ = now_ + Duration::seconds(seconds);
    return watch_.request(1, poll_, now_).empty();
  }
  RateWatch watch_;
  ntp::PollConfig poll_;
  MonoTime now_ = MonoTime::from_ns(77);
};

TEST_F(RateWatchTest, a_burst_at_the_start_and_then_the_poll) {
  for (int i = 0; i < RateWatch::kBurst; ++i) {
    EXPECT_TRUE(ask(2));
    watch_.answered(1, true);
  }
  EXPECT_FALSE(ask(2));
  EXPECT_TRUE(ask(60));
  watch_.answered(1, true);
  EXPECT_FALSE(ask(58));
  watch_.restarted();
  EXPECT_TRUE(ask(2));
  EXPECT_FALSE(ask(1));
}

TEST_F(RateWatchTest, probes_after_misses_only_and_only_so_many) {
  for (int i = 0; i < RateWatch::kBurst; ++i) EXPECT_TRUE(ask(2));
  for (int i = 0; i < RateWatch::kProbes; ++i) EXPECT_TRUE(ask(3));
  EXPECT_FALSE(ask(3));
  watch_.answered(1, true);
  EXPECT_FALSE(ask(3));
  EXPECT_TRUE(ask(3));
}

TEST_F(RateWatchTest, with_burst_three_more_after_a_poll_in_vain) {
  for (int i = 0; i < RateWatch::kBurst; ++i) EXPECT_TRUE(ask(2));
  poll_.burst = true;
  EXPECT_TRUE(ask(64));
  for (int i = 0; i < RateWatch::kAgain; ++i) {
    watch_.answered(1, false);
    EXPECT_TRUE(ask(2));
  }
  watch_.answered(1, false);
  EXPECT_FALSE(ask(2));
  watch_.answered(1, true);
  EXPECT_FALSE(ask(2));
}

}  // namespace
}  // namespace timepool::sim
