// Dates of the proleptic Gregorian calendar in UTC, as days since 1970-01-01.
#pragma once

#include <cstdint>

#include "base/time.h"

namespace timepool {

inline constexpr std::int64_t kSecondsPerDay = 86'400;

struct CivilDate {
  std::int64_t year = 1970;
  int month = 1;  // 1 to 12
  int day = 1;    // 1 to 31
  bool operator==(const CivilDate&) const = default;
};

// Days since 1970-01-01 and back; a day beyond its month's end counts on into the next month.
std::int64_t days_of(const CivilDate& date);
CivilDate civil_of(std::int64_t days);

// The day that `time` is in.
std::int64_t day_of(UnixTime time);
// 00:00:00 of a day.
inline UnixTime start_of_day(std::int64_t day) {
  return UnixTime::from_seconds(day * kSecondsPerDay);
}
// Whether a month begins with this day.
inline bool begins_month(std::int64_t day) {
  return civil_of(day).day == 1;
}

}  // namespace timepool
