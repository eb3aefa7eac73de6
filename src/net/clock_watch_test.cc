#include "net/clock_watch.h"

#include <gtest/gtest.h>

namespace timepool::net {
namespace {

const UnixTime kStart = UnixTime::from_seconds(1'790'000'000);

MonoTime mono(std::int64_t seconds) {
  return MonoTime() + Duration::seconds(seconds);
}
UnixTime system(std::int64_t seconds) {
  return kStart + Duration::seconds(seconds);
}

TEST(ClockWatch, a_clock_that_goes_on_or_is_set_forward_is_none_that_was_set_back) {
  ClockWatch watch;
  EXPECT_FALSE(watch.set_back(system(0), mono(5)));
  EXPECT_FALSE(watch.set_back(system(100), mono(105)));
  EXPECT_FALSE(watch.set_back(system(5000), mono(106)));
  EXPECT_FALSE(watch.set_back(system(4999), mono(106)));
}

TEST(ClockWatch, one_that_was_set_back_is_seen_until_all_is_forgotten) {
  ClockWatch watch;
  EXPECT_FALSE(watch.set_back(system(86'400'000), mono(1)));
  EXPECT_TRUE(watch.set_back(system(3), mono(3)));
  EXPECT_TRUE(watch.set_back(system(4), mono(4)));
  watch.reset();
  EXPECT_FALSE(watch.set_back(system(5), mono(5)));
}

TEST(ClockWatch, small_steps_back_add_up) {
  ClockWatch watch;
  EXPECT_FALSE(watch.set_back(system(10), mono(10)));
  EXPECT_FALSE(watch.set_back(system(18), mono(20)));
  EXPECT_TRUE(watch.set_back(system(26), mono(30)));
}

}  // namespace
}  // namespace timepool::net
