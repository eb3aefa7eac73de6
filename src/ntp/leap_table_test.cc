#include "ntp/leap_table.h"

#include <gtest/gtest.h>

#include <string>

#include "base/time.h"

namespace timepool::ntp {
namespace {

UnixTime utc(const char* text) {
  return *parse_utc(text);
}

// The numbers that IERS published in July 2025, until June 2026.
const std::string kEntries =
    "2272060800 10\n"
    "2287785600 11\n"
    "2303683200 12\n"
    "2335219200 13\n"
    "2366755200 14\n"
    "2398291200 15\n"
    "2429913600 16\n"
    "2461449600 17\n"
    "2492985600 18\n"
    "2524521600 19\n"
    "2571782400 20\n"
    "2603318400 21\n"
    "2634854400 22\n"
    "2698012800 23\n"
    "2776982400 24\n"
    "2840140800 25\n"
    "2871676800 26\n"
    "2918937600 27\n"
    "2950473600 28\n"
    "2982009600 29\n"
    "3029443200 30\n"
    "3076704000 31\n"
    "3124137600 32\n"
    "3345062400 33\n"
    "3439756800 34\n"
    "3550089600 35\n"
    "3644697600 36\n"
    "3692217600 37\n";
const std::string kDates = "#$\t3960835200\n#@\t3991593600\n";
const std::string kHash = "#h\t49db2447 571e5e1b 2f002a53 9c8da8e4 39b8e49e\n";

LeapFileFault fault_of(const std::string& text) {
  const auto table = LeapTable::parse(text);
  EXPECT_FALSE(table.ok());
  return table.ok() ? LeapFileFault{} : table.error();
}

TEST(LeapTable, B12_reads_the_published_list_and_finds_its_hash_right) {
  const auto table = LeapTable::parse("# a comment\n" + kDates + kEntries + kHash);
  ASSERT_TRUE(table.ok()) << name_of(table.error().error);
  EXPECT_EQ(table->entries().size(), 28u);
  EXPECT_TRUE(table->has_hash());
  EXPECT_EQ(table->updated(), utc("2025-07-07T00:00:00Z"));
  EXPECT_EQ(table->expires(), utc("2026-06-28T00:00:00Z"));
  EXPECT_EQ(table->tai_offset(utc("1971-12-31T23:59:59Z")), std::nullopt);
  EXPECT_EQ(table->tai_offset(utc("1972-01-01T00:00:00Z")), 10);
  EXPECT_EQ(table->tai_offset(utc("2016-12-31T23:59:59Z")), 36);
  EXPECT_EQ(table->tai_offset(utc("2017-01-01T00:00:00Z")), 37);
  EXPECT_EQ(table->next(utc("2016-07-01T00:00:00Z")), (LeapSecond{utc("2017-01-01T00:00:00Z"), 1}));
  EXPECT_EQ(table->next(utc("2017-01-01T00:00:00Z")), std::nullopt);
}

TEST(LeapTable, B12_an_expired_list_predicts_nothing) {
  const auto table = LeapTable::parse(kDates + kEntries + kHash);
  ASSERT_TRUE(table.ok());
  EXPECT_EQ(table->tai_offset(utc("2026-06-27T23:59:59Z")), 37);
  EXPECT_FALSE(table->expired(utc("2026-06-27T23:59:59Z")));
  EXPECT_TRUE(table->expired(utc("2026-06-28T00:00:00Z")));
  EXPECT_EQ(table->tai_offset(utc("2026-06-28T00:00:00Z")), std::nullopt);
}

TEST(LeapTable, a_leap_after_the_expiry_is_not_believed) {
  const std::string early = "#$ 3900000000\n#@ 3900000001\n3692217600 37\n4007750400 38\n";
  const auto table = LeapTable::parse(early);
  ASSERT_TRUE(table.ok());
  EXPECT_EQ(table->next(utc("2023-01-01T00:00:00Z")), std::nullopt);
}

TEST(LeapTable, a_deleted_second_is_one_less) {
  const auto table =
      LeapTable::parse("#$ 3900000000\n#@ 4100000000\n3692217600 37\n4007750400 36 # deleted\n");
  ASSERT_TRUE(table.ok());
  EXPECT_FALSE(table->has_hash());
  const auto leap = table->next(utc("2026-12-31T23:59:58Z"));
  ASSERT_TRUE(leap.has_value());
  EXPECT_EQ(*leap, (LeapSecond{utc("2027-01-01T00:00:00Z"), -1}));
}

TEST(LeapTable, a_digit_changed_anywhere_is_found_by_the_hash) {
  const std::string good = kDates + kEntries + kHash;
  std::size_t found = 0;
  for (std::size_t i = 0; i < good.size(); ++i) {
    if (good[i] < '0' || good[i] > '9') continue;
    std::string bad = good;
    bad[i] = bad[i] == '9' ? '0' : static_cast<char>(bad[i] + 1);
    EXPECT_FALSE(LeapTable::parse(bad).ok()) << "at " << i;
    ++found;
  }
  EXPECT_GT(found, 300u);
}

TEST(LeapTable, hash_words_may_lack_their_zeros_in_front) {
  const std::string text = "#$ 3900000012\n#@ 4100000000\n3692217600 37\n";
  EXPECT_TRUE(LeapTable::parse(text + "#h b9e103 416b4bb cd59d37d b0291c21 2300540\n").ok());
}

TEST(LeapTable, faults_have_their_line) {
  using E = LeapFileError;
  EXPECT_EQ(fault_of(""), (LeapFileFault{E::kNoUpdate, 0}));
  EXPECT_EQ(fault_of("#$ 1\n"), (LeapFileFault{E::kNoExpiry, 0}));
  EXPECT_EQ(fault_of(kDates), (LeapFileFault{E::kNoEntries, 0}));
  EXPECT_EQ(fault_of(kDates + "2272060800\n"), (LeapFileFault{E::kBadLine, 3}));
  EXPECT_EQ(fault_of(kDates + "2272060800 10 11\n"), (LeapFileFault{E::kBadLine, 3}));
  EXPECT_EQ(fault_of(kDates + "99999999999999 10\n"), (LeapFileFault{E::kBadLine, 3}));
  EXPECT_EQ(fault_of(kDates + "<html>\n"), (LeapFileFault{E::kBadLine, 3}));
  EXPECT_EQ(fault_of(kDates + "#h 1 2 3 4\n"), (LeapFileFault{E::kBadLine, 3}));
  EXPECT_EQ(fault_of(kDates + "#h 1 2 3 4 g\n"), (LeapFileFault{E::kBadLine, 3}));
  EXPECT_EQ(fault_of(kDates + "#@ 1\n"), (LeapFileFault{E::kBadLine, 3}));
  EXPECT_EQ(fault_of(kDates + "2272060801 10\n"), (LeapFileFault{E::kNotMonthStart, 3}));
  EXPECT_EQ(fault_of(kDates + "2272147200 10\n"), (LeapFileFault{E::kNotMonthStart, 3}));
  EXPECT_EQ(fault_of(kDates + "2287785600 11\n2272060800 10\n"),
            (LeapFileFault{E::kNotAscending, 4}));
  EXPECT_EQ(fault_of(kDates + "2272060800 10\n2287785600 12\n"),
            (LeapFileFault{E::kNotOneSecond, 4}));
  EXPECT_EQ(fault_of(kDates + kEntries + "#h 1 2 3 4 5\n"), (LeapFileFault{E::kBadHash, 0}));
  EXPECT_EQ(fault_of(std::string(kMaxLeapFileSize + 1, '#')), (LeapFileFault{E::kTooLong, 0}));
}

TEST(LeapTable, lines_may_end_as_on_other_systems_and_the_last_one_not_at_all) {
  std::string text = kDates + kEntries + kHash;
  text.pop_back();
  EXPECT_TRUE(LeapTable::parse(text).ok());
  std::string windows;
  for (const char c : text) windows += c == '\n' ? "\r\n" : std::string(1, c);
  EXPECT_TRUE(LeapTable::parse(windows).ok());
}

}  // namespace
}  // namespace timepool::ntp
