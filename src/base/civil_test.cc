#include "base/civil.h"

#include <gtest/gtest.h>

namespace timepool {
namespace {

TEST(Civil, days_and_dates_are_one_to_one) {
  EXPECT_EQ(days_of({1970, 1, 1}), 0);
  EXPECT_EQ(days_of({2000, 3, 1}), 11'017);
  EXPECT_EQ(days_of({2017, 1, 1}), 17'167);
  EXPECT_EQ(days_of({1969, 12, 31}), -1);
  for (std::int64_t day = -110'000; day < 110'000; ++day) {
    const CivilDate date = civil_of(day);
    ASSERT_EQ(days_of(date), day);
    ASSERT_EQ(begins_month(day), date.day == 1);
  }
}

TEST(Civil, a_day_begins_at_midnight_on_both_sides_of_1970) {
  EXPECT_EQ(day_of(UnixTime::from_seconds(86'399)), 0);
  EXPECT_EQ(day_of(UnixTime::from_seconds(86'400)), 1);
  EXPECT_EQ(day_of(UnixTime::from_ns(-1)), -1);
  EXPECT_EQ(day_of(UnixTime::from_seconds(-86'401)), -2);
  EXPECT_EQ(start_of_day(-1), UnixTime::from_seconds(-86'400));
}

}  // namespace
}  // namespace timepool
