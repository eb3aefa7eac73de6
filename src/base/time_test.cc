#include "base/time.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace timepool {
namespace {

UnixTime utc(std::string_view text) {
  return parse_utc(text).value();
}

TEST(NtpTimestamp, matches_the_dates_of_rfc5905_figure_4) {
  EXPECT_EQ(to_ntp(utc("1970-01-01T00:00:00Z")).seconds(), 2'208'988'800u);
  EXPECT_EQ(to_ntp(utc("1972-01-01T00:00:00Z")).seconds(), 2'272'060'800u);
  EXPECT_EQ(to_ntp(utc("1999-12-31T00:00:00Z")).seconds(), 3'155'587'200u);
  EXPECT_EQ(to_ntp(utc("2036-02-08T00:00:00Z")).seconds(), 63'104u);
}

TEST(NtpTimestamp, the_pivot_chooses_the_era) {
  const NtpTimestamp first_of_era_1 = NtpTimestamp::from_bits(std::uint64_t{1} << 32);
  EXPECT_EQ(format_utc(to_unix(first_of_era_1, utc("2026-11-21T00:00:00Z")), 0),
            "2036-02-07T06:28:17Z");
  EXPECT_EQ(format_utc(to_unix(first_of_era_1, utc("1950-01-01T00:00:00Z")), 0),
            "1900-01-01T00:00:01Z");
  EXPECT_EQ(format_utc(to_unix(first_of_era_1, utc("2100-01-01T00:00:00Z")), 0),
            "2036-02-07T06:28:17Z");
}

TEST(NtpTimestamp, difference_wraps_over_the_end_of_an_era) {
  const NtpTimestamp before = to_ntp(utc("2036-02-07T06:28:15Z"));
  const NtpTimestamp after = to_ntp(utc("2036-02-07T06:28:17Z"));
  EXPECT_EQ(after - before, Duration::seconds(2));
  EXPECT_EQ(before - after, Duration::seconds(-2));
}

RC_GTEST_PROP(NtpTimestamp, nanoseconds_survive_the_round_trip,
              (std::int64_t ns, std::int32_t shift)) {
  const UnixTime time = UnixTime::from_ns(ns / 2);
  const UnixTime pivot = time + Duration::seconds(shift / 2);
  RC_ASSERT(to_unix(to_ntp(time), pivot) == time);
}

RC_GTEST_PROP(NtpTimestamp, difference_is_within_a_nanosecond,
              (std::int64_t ns, std::int32_t span_us)) {
  const UnixTime a = UnixTime::from_ns(ns / 2);
  const Duration span = Duration::microseconds(span_us);
  const Duration difference = to_ntp(a + span) - to_ntp(a);
  RC_ASSERT((difference - span).abs() <= Duration::nanoseconds(1));
}

TEST(NtpShort, rounds_up_and_saturates) {
  EXPECT_EQ(to_ntp_short(Duration::nanoseconds(1)).bits(), 1u);
  EXPECT_EQ(to_ntp_short(Duration::seconds(1)).bits(), 0x10000u);
  EXPECT_EQ(to_ntp_short(Duration::seconds(-1)).bits(), 0u);
  EXPECT_EQ(to_ntp_short(Duration::max()).bits(), 0xffff'ffffu);
  EXPECT_EQ(to_duration(NtpShort::from_bits(0x8000)), Duration::milliseconds(500));
}

TEST(Duration, arithmetic_saturates) {
  EXPECT_EQ(Duration::max() + Duration::seconds(1), Duration::max());
  EXPECT_EQ(Duration::min() - Duration::seconds(1), Duration::min());
  EXPECT_EQ(-Duration::min(), Duration::max());
  EXPECT_EQ(Duration::seconds(INT64_MAX), Duration::max());
  EXPECT_EQ(Duration::from_seconds(1e300), Duration::max());
  EXPECT_EQ(Duration::from_seconds(-1.5), Duration::milliseconds(-1500));
  EXPECT_EQ(Duration::from_seconds(0.0 / 0.0), Duration());
}

TEST(Duration, parses_sums_of_units) {
  EXPECT_EQ(*parse_duration("1h30m"), Duration::seconds(5400));
  EXPECT_EQ(*parse_duration("2.5s"), Duration::milliseconds(2500));
  EXPECT_EQ(*parse_duration("-400ms"), Duration::milliseconds(-400));
  EXPECT_EQ(*parse_duration("0.000000001s"), Duration::nanoseconds(1));
  EXPECT_EQ(*parse_duration("2w"), Duration::seconds(1209600));
  for (const char* bad :
       {"", "5", "s", "1x", "1s2", "-", "1..5s", "999999999999999999999s", "300000w"}) {
    EXPECT_FALSE(parse_duration(bad).ok()) << bad;
  }
}

RC_GTEST_PROP(Duration, text_round_trips, (std::int64_t ns)) {
  const Duration d = Duration::nanoseconds(ns == INT64_MIN ? 0 : ns);
  RC_PRE(d != Duration::max());
  RC_ASSERT(*parse_duration(format(d)) == d);
}

TEST(Utc, formats_and_parses) {
  EXPECT_EQ(format_utc(UnixTime::from_ns(-1), 9), "1969-12-31T23:59:59.999999999Z");
  EXPECT_EQ(format_utc(UnixTime::from_seconds(951782400), 0), "2000-02-29T00:00:00Z");
  EXPECT_EQ(utc("2016-12-31T23:59:60Z"), utc("2017-01-01T00:00:00Z"));
  for (const char* bad : {"", "2026-02-30T00:00:00Z", "2026-01-01 00:00:00Z", "2026-01-01T00:00:00",
                          "2026-13-01T00:00:00Z"}) {
    EXPECT_FALSE(parse_utc(bad).ok()) << bad;
  }
}

RC_GTEST_PROP(Utc, text_round_trips, (std::int64_t ns)) {
  const UnixTime time = UnixTime::from_ns(ns / 2);
  RC_ASSERT(utc(format_utc(time, 9)) == time);
}

TEST(UnixTime, seconds_round_towards_the_past) {
  EXPECT_EQ(UnixTime::from_ns(-1).seconds(), -1);
  EXPECT_EQ(UnixTime::from_ns(-1'000'000'000).seconds(), -1);
  EXPECT_EQ(UnixTime::from_ns(999'999'999).seconds(), 0);
}

}  // namespace
}  // namespace timepool
