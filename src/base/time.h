// The kinds of time, as distinct types that can't be mixed up.
//
//   MonoTime      nanoseconds of a clock that never steps; only differences mean anything
//   UnixTime      nanoseconds since 1970-01-01 UTC without leap seconds, years 1678 to 2262
//   NtpTimestamp  RFC 5905 6: 32.32 fixed point since 1900, modulo 2^32 seconds: an era is missing,
//                 so there is no order, only wrapping difference
//   NtpShort      RFC 5905 6: 16.16 fixed point seconds, for root delay and dispersion
//
// Nanoseconds to an NTP fraction rounds up and back rounds down, so that a round trip from
// nanoseconds is exact (floor both ways loses one).
#pragma once

#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/duration.h"

namespace timepool {

class MonoTime {
 public:
  constexpr MonoTime() = default;
  static constexpr MonoTime from_ns(std::int64_t ns) { return MonoTime(ns); }
  static constexpr MonoTime max() { return MonoTime(Duration::max().ns()); }
  constexpr std::int64_t ns() const { return ns_; }
  constexpr auto operator<=>(const MonoTime&) const = default;
  constexpr MonoTime operator+(Duration d) const { return MonoTime(Duration::add(ns_, d.ns())); }
  constexpr MonoTime operator-(Duration d) const { return *this + -d; }
  constexpr Duration operator-(MonoTime other) const {
    return Duration::nanoseconds(ns_) - Duration::nanoseconds(other.ns_);
  }

 private:
  constexpr explicit MonoTime(std::int64_t ns) : ns_(ns) {}
  std::int64_t ns_ = 0;
};

class UnixTime {
 public:
  constexpr UnixTime() = default;
  static constexpr UnixTime from_ns(std::int64_t ns) { return UnixTime(ns); }
  static constexpr UnixTime from_seconds(std::int64_t s) {
    return UnixTime(Duration::seconds(s).ns());
  }
  constexpr std::int64_t ns() const { return ns_; }
  // Whole seconds, rounded towards the past.
  constexpr std::int64_t seconds() const {
    return ns_ / 1'000'000'000 - (ns_ % 1'000'000'000 < 0 ? 1 : 0);
  }
  constexpr auto operator<=>(const UnixTime&) const = default;
  constexpr UnixTime operator+(Duration d) const { return UnixTime(Duration::add(ns_, d.ns())); }
  constexpr UnixTime operator-(Duration d) const { return *this + -d; }
  constexpr Duration operator-(UnixTime other) const {
    return Duration::nanoseconds(ns_) - Duration::nanoseconds(other.ns_);
  }

 private:
  constexpr explicit UnixTime(std::int64_t ns) : ns_(ns) {}
  std::int64_t ns_ = 0;
};

// Seconds from 1900-01-01 to 1970-01-01 (RFC 5905 figure 4).
inline constexpr std::int64_t kNtpToUnixSeconds = 2'208'988'800;

class NtpTimestamp {
 public:
  constexpr NtpTimestamp() = default;
  static constexpr NtpTimestamp from_bits(std::uint64_t bits) { return NtpTimestamp(bits); }
  constexpr std::uint64_t bits() const { return bits_; }
  constexpr std::uint32_t seconds() const { return static_cast<std::uint32_t>(bits_ >> 32); }
  constexpr std::uint32_t fraction() const { return static_cast<std::uint32_t>(bits_); }
  // RFC 5905 6: zero means unknown or unsynchronised.
  constexpr bool is_zero() const { return bits_ == 0; }
  constexpr bool operator==(const NtpTimestamp&) const = default;

 private:
  constexpr explicit NtpTimestamp(std::uint64_t bits) : bits_(bits) {}
  std::uint64_t bits_ = 0;
};

class NtpShort {
 public:
  constexpr NtpShort() = default;
  static constexpr NtpShort from_bits(std::uint32_t bits) { return NtpShort(bits); }
  constexpr std::uint32_t bits() const { return bits_; }
  constexpr auto operator<=>(const NtpShort&) const = default;

 private:
  constexpr explicit NtpShort(std::uint32_t bits) : bits_(bits) {}
  std::uint32_t bits_ = 0;
};

// The timestamp of `time`, its era dropped.
NtpTimestamp to_ntp(UnixTime time);
// The UnixTime that `timestamp` names within half an era (68 years) of `pivot`: the one rule by
// which eras are resolved. The build date or the current time is the pivot.
UnixTime to_unix(NtpTimestamp timestamp, UnixTime pivot);
// a - b modulo 2^64, as the signed difference nearest to zero (RFC 5905 6), in nanoseconds rounded
// down; right while the two are within 68 years.
Duration operator-(NtpTimestamp a, NtpTimestamp b);

// Rounds up, so that an error bound never shrinks; negative is zero, too long is the maximum.
NtpShort to_ntp_short(Duration duration);
Duration to_duration(NtpShort value);

// "2026-11-21T12:34:56.123456789Z"; digits of the fraction 0 to 9.
std::string format_utc(UnixTime time, int digits = 3);
// Reads what format_utc writes, with 0 to 9 digits. Errors: kInvalid.
Result<UnixTime> parse_utc(std::string_view text);

}  // namespace timepool
