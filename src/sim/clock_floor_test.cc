#include "sim/clock_floor.h"

#include <gtest/gtest.h>

namespace timepool::sim {
namespace {

const UnixTime kFloor = UnixTime::from_seconds(1'790'000'000);

UnixTime after(std::int64_t seconds) {
  return kFloor + Duration::seconds(seconds);
}

TEST(ClockFloor, B27_a_clock_that_goes_below_it_is_found) {
  ClockFloor floor(kFloor);
  EXPECT_TRUE(floor.look(after(100), {}));
  EXPECT_TRUE(floor.look(after(0), {}));
  EXPECT_FALSE(floor.look(after(-1), {}));
}

TEST(ClockFloor, a_clock_that_is_below_may_only_come_nearer) {
  ClockFloor floor(kFloor);
  EXPECT_TRUE(floor.look(after(-100), {}));
  EXPECT_TRUE(floor.look(after(-50), {}));
  EXPECT_FALSE(floor.look(after(-51), {}));
  EXPECT_TRUE(floor.look(after(10), {}));
}

TEST(ClockFloor, what_others_do_to_it_is_no_fault_of_the_client) {
  ClockFloor floor(kFloor);
  EXPECT_TRUE(floor.look(after(100), {}));
  EXPECT_TRUE(floor.look(after(-100), Duration::seconds(7)));
  EXPECT_FALSE(floor.look(after(-101), Duration::seconds(7)));
}

}  // namespace
}  // namespace timepool::sim
