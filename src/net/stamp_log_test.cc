#include "net/stamp_log.h"

#include <gtest/gtest.h>

namespace timepool::net {
namespace {

constexpr UnixTime kNow = UnixTime::from_seconds(1'700'000'000);

TEST(StampLog, gives_each_name_once_in_the_order_of_sending) {
  StampLog log;
  log.note(70, kNow);
  log.note(71, kNow);
  const UnixTime later = kNow + Duration::microseconds(5);
  EXPECT_EQ(log.take(1, later), 71u);
  EXPECT_EQ(log.take(0, later), 70u);
  EXPECT_EQ(log.take(0, later), std::nullopt);
  EXPECT_EQ(log.take(2, later), std::nullopt);
}

TEST(StampLog, takes_no_time_that_can_not_be_the_replys) {
  StampLog log;
  log.note(70, kNow);
  EXPECT_EQ(log.take(0, kNow - Duration::nanoseconds(1)), std::nullopt);
  EXPECT_EQ(log.take(0, kNow + StampLog::kLatest), std::nullopt);
  EXPECT_EQ(log.take(0, kNow), 70u);
}

TEST(StampLog, is_bounded_and_can_begin_anew) {
  StampLog log;
  for (std::uint64_t i = 0; i <= StampLog::kRoom; ++i) log.note(i, kNow);
  EXPECT_EQ(log.take(0, kNow), std::nullopt) << "overwritten";
  EXPECT_EQ(log.take(StampLog::kRoom, kNow), StampLog::kRoom);
  log.clear();
  log.note(9, kNow);
  EXPECT_EQ(log.take(0, kNow), 9u);
}

}  // namespace
}  // namespace timepool::net
