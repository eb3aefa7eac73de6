#include "ntp/broadcast_watch.h"

#include <gtest/gtest.h>

namespace timepool::ntp {
namespace {

TEST(BroadcastWatch, counts_each_interval_without_a_broadcast_once) {
  BroadcastWatch watch;
  const MonoTime start = MonoTime::from_ns(5'000'000'000);
  watch.heard(start, 6);
  EXPECT_FALSE(watch.overdue(start + Duration::seconds(71)));
  for (int i = 0; i < 8; ++i) {
    EXPECT_FALSE(watch.gone());
    EXPECT_TRUE(watch.overdue(start + Duration::seconds(72 + 64 * i)));
    EXPECT_FALSE(watch.overdue(start + Duration::seconds(72 + 64 * i)));
  }
  EXPECT_TRUE(watch.gone());
  watch.heard(start + Duration::seconds(600), 127);
  EXPECT_FALSE(watch.gone());
  EXPECT_EQ(watch.poll(), kHighestBroadcastPoll);
}

TEST(BroadcastWatch, does_not_count_up_what_a_sleeping_machine_missed) {
  BroadcastWatch watch;
  const MonoTime start = MonoTime::from_ns(5'000'000'000);
  watch.heard(start, 6);
  const MonoTime later = start + Duration::seconds(86'400);
  int missed = 0;
  while (watch.overdue(later)) ++missed;
  EXPECT_LE(missed, 2);
  EXPECT_FALSE(watch.gone());
}

}  // namespace
}  // namespace timepool::ntp
