#include "ntp/leap_fold.h"

#include <gtest/gtest.h>

namespace timepool::ntp {
namespace {

constexpr Duration kInserted = Duration::seconds(-1);
constexpr Duration kDeleted = Duration::seconds(1);

TEST(LeapFold, a_server_that_is_late_is_moved_to_our_side) {
  const Duration late = Duration::seconds(60);
  EXPECT_EQ(leap_fold(Duration::milliseconds(1003), late, kInserted), Duration::seconds(-1));
  EXPECT_EQ(leap_fold(Duration::milliseconds(-1003), late, kDeleted), Duration::seconds(1));
}

TEST(LeapFold, a_server_that_is_early_is_moved_back) {
  const Duration early = Duration::seconds(-60);
  EXPECT_EQ(leap_fold(Duration::milliseconds(-990), early, kInserted), Duration::seconds(1));
  EXPECT_EQ(leap_fold(Duration::milliseconds(990), early, kDeleted), Duration::seconds(-1));
}

TEST(LeapFold, nothing_else_is_touched) {
  for (const int after : {-60, 0, 60}) {
    const Duration then = Duration::seconds(after);
    EXPECT_EQ(leap_fold(Duration::milliseconds(5), then, kInserted), Duration());
    EXPECT_EQ(leap_fold(Duration::milliseconds(500), then, kInserted), Duration());
    EXPECT_EQ(leap_fold(Duration::milliseconds(-500), then, kInserted), Duration());
    EXPECT_EQ(leap_fold(Duration::seconds(2), then, kInserted), Duration());
  }
  // Off by a second the other way: nobody has applied a leap that way round.
  EXPECT_EQ(leap_fold(Duration::seconds(-1), Duration::seconds(60), kInserted), Duration());
  EXPECT_EQ(leap_fold(Duration::seconds(1), Duration::seconds(-60), kInserted), Duration());
}

TEST(LeapFold, ends_after_a_quarter_of_an_hour) {
  EXPECT_EQ(leap_fold(Duration::seconds(1), kLeapFoldTime, kInserted), Duration::seconds(-1));
  EXPECT_EQ(leap_fold(Duration::seconds(1), kLeapFoldTime + Duration::seconds(1), kInserted),
            Duration());
}

}  // namespace
}  // namespace timepool::ntp
