#include "base/time.h"

#include <array>
#include <cstdio>

#include "base/civil.h"

namespace timepool {
namespace {

constexpr std::int64_t kNsPerSecond = 1'000'000'000;

Error bad_time(std::string_view text) {
  return {ErrorCode::kInvalid, "time \"" + std::string(text) + "\"",
          "expected the form 2026-11-21T12:34:56Z"};
}

// Exactly `digits` decimal digits; -1 if there are fewer.
int take_digits(std::string_view& rest, int digits) {
  int value = 0;
  for (int i = 0; i < digits; ++i) {
    if (rest.empty() || rest.front() < '0' || rest.front() > '9') return -1;
    value = value * 10 + (rest.front() - '0');
    rest.remove_prefix(1);
  }
  return value;
}

bool take(std::string_view& rest, char c) {
  if (!rest.starts_with(c)) return false;
  rest.remove_prefix(1);
  return true;
}

}  // namespace

NtpTimestamp to_ntp(UnixTime time) {
  const std::int64_t seconds = time.seconds();
  const auto nanos = static_cast<std::uint64_t>(time.ns() - seconds * kNsPerSecond);
  // Rounds up; nanos is below 10^9, so the fraction stays below 2^32.
  const std::uint64_t fraction = ((nanos << 32) + 999'999'999) / 1'000'000'000;
  const auto ntp_seconds = static_cast<std::uint64_t>(seconds + kNtpToUnixSeconds) & 0xffff'ffff;
  return NtpTimestamp::from_bits((ntp_seconds << 32) + fraction);
}

Duration operator-(NtpTimestamp a, NtpTimestamp b) {
  const auto difference = static_cast<std::int64_t>(a.bits() - b.bits());
  const std::int64_t seconds = difference >> 32;
  const auto fraction = static_cast<std::uint64_t>(difference) & 0xffff'ffff;
  const auto nanos = static_cast<std::int64_t>((fraction * 1'000'000'000) >> 32);
  return Duration::seconds(seconds) + Duration::nanoseconds(nanos);
}

UnixTime to_unix(NtpTimestamp timestamp, UnixTime pivot) {
  // Whole seconds by the pivot's era, then the fraction of the timestamp itself, so that the
  // pivot's own fraction can't round the result.
  const std::int64_t pivot_seconds = pivot.seconds();
  const auto pivot_ntp = static_cast<std::uint32_t>(
      static_cast<std::uint64_t>(pivot_seconds + kNtpToUnixSeconds) & 0xffff'ffff);
  const auto ahead = static_cast<std::int32_t>(timestamp.seconds() - pivot_ntp);
  const std::uint64_t nanos =
      (static_cast<std::uint64_t>(timestamp.fraction()) * 1'000'000'000) >> 32;
  return UnixTime::from_seconds(pivot_seconds + ahead) +
         Duration::nanoseconds(static_cast<std::int64_t>(nanos));
}

NtpShort to_ntp_short(Duration duration) {
  if (duration.ns() <= 0) return {};
  if (duration >= Duration::seconds(65536)) return NtpShort::from_bits(0xffff'ffff);
  const auto ns = static_cast<std::uint64_t>(duration.ns());
  const std::uint64_t bits = ((ns << 16) + 999'999'999) / 1'000'000'000;
  return NtpShort::from_bits(bits > 0xffff'ffff ? 0xffff'ffff : static_cast<std::uint32_t>(bits));
}

Duration to_duration(NtpShort value) {
  return Duration::nanoseconds(
      static_cast<std::int64_t>((static_cast<std::uint64_t>(value.bits()) * 1'000'000'000) >> 16));
}

std::string format_utc(UnixTime time, int digits) {
  const std::int64_t seconds = time.seconds();
  const std::int64_t days = day_of(time);
  const auto of_day = static_cast<int>(seconds - days * kSecondsPerDay);
  const CivilDate date = civil_of(days);
  std::array<char, 64> buffer{};
  int length = std::snprintf(buffer.data(), buffer.size(), "%04lld-%02d-%02dT%02d:%02d:%02d",
                             static_cast<long long>(date.year), date.month, date.day, of_day / 3600,
                             of_day / 60 % 60, of_day % 60);
  std::string out(buffer.data(), static_cast<std::size_t>(length));
  if (digits > 0) {
    length = std::snprintf(buffer.data(), buffer.size(), ".%09lld",
                           static_cast<long long>(time.ns() - seconds * kNsPerSecond));
    out.append(buffer.data(), static_cast<std::size_t>(digits > 9 ? 10 : digits + 1));
  }
  return out + "Z";
}

Result<UnixTime> parse_utc(std::string_view text) {
  std::string_view rest = text;
  const int year = take_digits(rest, 4);
  const bool dash1 = take(rest, '-');
  const int month = take_digits(rest, 2);
  const bool dash2 = take(rest, '-');
  const int day = take_digits(rest, 2);
  const bool t = take(rest, 'T');
  const int hour = take_digits(rest, 2);
  const bool colon1 = take(rest, ':');
  const int minute = take_digits(rest, 2);
  const bool colon2 = take(rest, ':');
  const int second = take_digits(rest, 2);
  if (!dash1 || !dash2 || !t || !colon1 || !colon2) return fail(bad_time(text));
  if (year < 1678 || year > 2261 || month < 1 || month > 12 || day < 1 || day > 31 || hour < 0 ||
      hour > 23 || minute < 0 || minute > 59 || second < 0 || second > 60) {
    return fail(bad_time(text));
  }
  std::int64_t nanos = 0;
  if (take(rest, '.')) {
    std::int64_t unit = 100'000'000;
    for (; !rest.empty() && rest.front() >= '0' && rest.front() <= '9'; rest.remove_prefix(1)) {
      nanos += (rest.front() - '0') * unit;
      unit /= 10;
    }
  }
  if (!take(rest, 'Z') || !rest.empty()) return fail(bad_time(text));
  const CivilDate date{year, month, day};
  const std::int64_t days = days_of(date);
  const CivilDate back = civil_of(days);
  if (back.month != month || back.day != day) return fail(bad_time(text));
  return UnixTime::from_seconds(days * kSecondsPerDay + hour * 3600 + minute * 60 + second) +
         Duration::nanoseconds(nanos);
}

}  // namespace timepool
