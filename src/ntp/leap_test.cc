#include "ntp/leap.h"

#include <gtest/gtest.h>

#include <string>

namespace timepool::ntp {
namespace {

using wire::ntp::Leap;

UnixTime utc(const char* text) {
  return *parse_utc(text);
}

// Valid until the middle of 2029; a second is inserted at the end of September 2027 and deleted at
// the end of 2028.
LeapTable table() {
  return *LeapTable::parse(
      "#$ 3960835200\n#@ 4086547200\n3692217600 37\n4031337600 38\n4070908800 37\n");
}

LeapKeeper with_table(LeapMode mode = LeapMode::kKernel, bool smear = false) {
  LeapKeeper out({mode, smear});
  out.set_table(table());
  return out;
}

TEST(LeapKeeper, B13_a_leap_of_the_file_is_armed_on_the_last_day_of_its_month_only) {
  const LeapKeeper keeper = with_table();
  EXPECT_EQ(keeper.armed(utc("2027-09-29T23:59:59Z")), std::nullopt);
  EXPECT_EQ(keeper.announcement(utc("2027-09-29T23:59:59Z")), Leap::kNone);
  const LeapSecond leap{utc("2027-10-01T00:00:00Z"), 1};
  EXPECT_EQ(keeper.armed(utc("2027-09-30T00:00:00Z")), leap);
  EXPECT_EQ(keeper.armed(utc("2027-09-30T23:59:59.999999999Z")), leap);
  EXPECT_EQ(keeper.announcement(utc("2027-09-30T12:00:00Z")), Leap::kInsert);
  EXPECT_EQ(keeper.armed(utc("2027-10-01T00:00:00Z")), std::nullopt);
  EXPECT_EQ(keeper.announcement(utc("2028-12-31T12:00:00Z")), Leap::kDelete);
  EXPECT_EQ(moment_of(leap), utc("2027-10-01T00:00:00Z"));
  EXPECT_EQ(step_of(leap), Duration::seconds(-1));
  const LeapSecond deleted = *keeper.armed(utc("2028-12-31T12:00:00Z"));
  EXPECT_EQ(moment_of(deleted), utc("2028-12-31T23:59:59Z"));
  EXPECT_EQ(step_of(deleted), Duration::seconds(1));
}

TEST(LeapKeeper, B12_without_a_file_the_majority_decides) {
  LeapKeeper keeper;
  EXPECT_EQ(keeper.armed(utc("2026-12-31T10:00:00Z")), std::nullopt);
  keeper.handle_majority(Leap::kInsert, utc("2026-12-31T10:00:00Z"));
  EXPECT_EQ(keeper.armed(utc("2026-12-31T10:00:00Z")),
            (LeapSecond{utc("2027-01-01T00:00:00Z"), 1}));
  keeper.handle_majority(Leap::kNone, utc("2026-12-31T11:00:00Z"));
  EXPECT_EQ(keeper.armed(utc("2026-12-31T11:00:00Z")), std::nullopt);
  keeper.handle_majority(Leap::kDelete, utc("2026-12-31T12:00:00Z"));
  EXPECT_EQ(keeper.announcement(utc("2026-12-31T12:00:00Z")), Leap::kDelete);
}

TEST(LeapKeeper, the_last_majority_holds_through_an_outage) {
  LeapKeeper keeper;
  keeper.handle_majority(Leap::kInsert, utc("2026-12-31T20:00:00Z"));
  keeper.handle_majority(Leap::kUnsynchronised, utc("2026-12-31T21:00:00Z"));
  EXPECT_TRUE(keeper.armed(utc("2026-12-31T23:59:59Z")).has_value());
}

TEST(LeapKeeper, B13_a_majority_is_believed_at_the_end_of_june_and_december_only) {
  for (int month = 1; month <= 12; ++month) {
    LeapKeeper keeper;
    const std::string next = (month % 12 < 9 ? "0" : "") + std::to_string(month % 12 + 1);
    const UnixTime end =
        utc((std::to_string(2026 + month / 12) + "-" + next + "-01T00:00:00Z").c_str());
    const UnixTime day = end - Duration::seconds(3600);
    keeper.handle_majority(Leap::kInsert, day);
    EXPECT_EQ(keeper.armed(day).has_value(), month == 6 || month == 12) << month;
    // Not on the day before, whatever they say.
    keeper.handle_majority(Leap::kInsert, day - Duration::seconds(86'400));
    EXPECT_FALSE(keeper.armed(day - Duration::seconds(86'400)).has_value()) << month;
    EXPECT_FALSE(keeper.armed(day).has_value()) << month;
  }
}

TEST(LeapKeeper, B12_a_valid_file_is_believed_alone) {
  LeapKeeper keeper = with_table();
  keeper.handle_majority(Leap::kInsert, utc("2026-12-31T10:00:00Z"));
  EXPECT_EQ(keeper.armed(utc("2026-12-31T10:00:00Z")), std::nullopt);
  keeper.handle_majority(Leap::kNone, utc("2027-09-30T10:00:00Z"));
  EXPECT_TRUE(keeper.armed(utc("2027-09-30T10:00:00Z")).has_value());
  EXPECT_EQ(keeper.tai_offset(utc("2027-09-30T10:00:00Z")), 37);
  EXPECT_EQ(keeper.tai_offset(utc("2027-10-01T00:00:00Z")), 38);
}

TEST(LeapKeeper, B12_an_expired_file_leaves_it_to_the_majority) {
  LeapKeeper keeper = with_table();
  const UnixTime late = utc("2029-12-31T10:00:00Z");
  EXPECT_EQ(keeper.armed(late), std::nullopt);
  EXPECT_EQ(keeper.tai_offset(late), std::nullopt);
  keeper.handle_majority(Leap::kInsert, late);
  EXPECT_TRUE(keeper.armed(late).has_value());
}

TEST(LeapKeeper, an_applied_leap_is_not_applied_again_while_its_second_is_repeated) {
  LeapKeeper keeper = with_table();
  const UnixTime last = utc("2027-09-30T23:59:59.5Z");
  const LeapSecond leap = *keeper.armed(last);
  keeper.handle_applied(leap);
  EXPECT_EQ(keeper.armed(last), std::nullopt);
  EXPECT_EQ(keeper.announcement(last), Leap::kNone);
  EXPECT_EQ(keeper.applied(), leap);
  EXPECT_TRUE(keeper.armed(utc("2028-12-31T10:00:00Z")).has_value());
}

TEST(LeapKeeper, B16_with_smeared_sources_no_leap_is_announced_or_applied) {
  LeapKeeper keeper({LeapMode::kKernel, true});
  keeper.handle_majority(Leap::kInsert, utc("2026-12-31T10:00:00Z"));
  EXPECT_EQ(keeper.armed(utc("2026-12-31T10:00:00Z")), std::nullopt);
  EXPECT_EQ(keeper.announcement(utc("2026-12-31T10:00:00Z")), Leap::kNone);
}

TEST(LeapKeeper, the_mode_ignore_neither_announces_nor_applies) {
  EXPECT_EQ(with_table(LeapMode::kIgnore).armed(utc("2027-09-30T10:00:00Z")), std::nullopt);
  EXPECT_TRUE(with_table(LeapMode::kSlew).armed(utc("2027-09-30T10:00:00Z")).has_value());
  EXPECT_EQ(name_of(LeapMode::kIgnore), "ignore");
}

}  // namespace
}  // namespace timepool::ntp
