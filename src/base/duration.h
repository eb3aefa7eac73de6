// Duration: a signed span of time in whole nanoseconds (about +-292 years). Arithmetic saturates
// rather than wraps, since spans from the network may be anything.
#pragma once

#include <compare>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>

#include "base/result.h"

namespace timepool {

class Duration {
 public:
  constexpr Duration() = default;
  static constexpr Duration nanoseconds(std::int64_t ns) { return Duration(ns); }
  static constexpr Duration microseconds(std::int64_t us) { return scaled(us, 1'000); }
  static constexpr Duration milliseconds(std::int64_t ms) { return scaled(ms, 1'000'000); }
  static constexpr Duration seconds(std::int64_t s) { return scaled(s, 1'000'000'000); }
  static constexpr Duration max() { return Duration(std::numeric_limits<std::int64_t>::max()); }
  static constexpr Duration min() { return Duration(std::numeric_limits<std::int64_t>::min()); }
  // Rounds to the nearest nanosecond; out of range saturates, NaN is zero.
  static Duration from_seconds(double seconds);

  constexpr std::int64_t ns() const { return ns_; }
  double to_seconds() const { return static_cast<double>(ns_) * 1e-9; }

  constexpr auto operator<=>(const Duration&) const = default;
  constexpr Duration operator+(Duration other) const { return Duration(add(ns_, other.ns_)); }
  constexpr Duration operator-(Duration other) const {
    std::int64_t out = 0;
    if (__builtin_sub_overflow(ns_, other.ns_, &out)) return other.ns_ < 0 ? max() : min();
    return Duration(out);
  }
  constexpr Duration operator-() const { return Duration() - *this; }
  constexpr Duration operator*(std::int64_t factor) const { return scaled(ns_, factor); }
  constexpr Duration operator/(std::int64_t divisor) const { return Duration(ns_ / divisor); }
  constexpr Duration& operator+=(Duration other) { return *this = *this + other; }
  constexpr Duration& operator-=(Duration other) { return *this = *this - other; }
  constexpr Duration abs() const { return ns_ < 0 ? -*this : *this; }

  static constexpr std::int64_t add(std::int64_t a, std::int64_t b) {
    std::int64_t out = 0;
    if (__builtin_add_overflow(a, b, &out)) {
      return b < 0 ? std::numeric_limits<std::int64_t>::min()
                   : std::numeric_limits<std::int64_t>::max();
    }
    return out;
  }

 private:
  constexpr explicit Duration(std::int64_t ns) : ns_(ns) {}
  static constexpr Duration scaled(std::int64_t value, std::int64_t factor) {
    std::int64_t out = 0;
    if (__builtin_mul_overflow(value, factor, &out)) {
      return (value < 0) != (factor < 0) ? min() : max();
    }
    return Duration(out);
  }
  std::int64_t ns_ = 0;
};

// "1h30m", "2.5s", "400ms", "-3us", "0s": a sum of decimal numbers with units ns us ms s m h d w.
// Errors: kInvalid with the place.
Result<Duration> parse_duration(std::string_view text);
// The shortest such text that parses to the same span: "1m30s", "400ms".
std::string format(Duration duration);

}  // namespace timepool
