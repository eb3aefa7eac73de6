#include "base/duration.h"

#include <array>
#include <cmath>

namespace timepool {
namespace {

struct Unit {
  std::string_view name;
  std::int64_t ns;
};
// From large to small; parsing takes the longest name that fits ("ms" before "m").
constexpr std::array<Unit, 8> kUnits{{{"w", 604'800'000'000'000},
                                      {"d", 86'400'000'000'000},
                                      {"h", 3'600'000'000'000},
                                      {"m", 60'000'000'000},
                                      {"s", 1'000'000'000},
                                      {"ms", 1'000'000},
                                      {"us", 1'000},
                                      {"ns", 1}}};

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

Error bad_duration(std::string_view text, std::string_view why) {
  return {ErrorCode::kInvalid, "duration \"" + std::string(text) + "\"",
          std::string(why) + " (write for example 30s, 1h30m, 2.5s, 400ms)"};
}

const Unit* take_unit(std::string_view& rest) {
  const Unit* best = nullptr;
  for (const Unit& unit : kUnits) {
    if (rest.starts_with(unit.name) && (best == nullptr || unit.name.size() > best->name.size())) {
      best = &unit;
    }
  }
  if (best != nullptr) rest.remove_prefix(best->name.size());
  return best;
}

// Decimal digits with at most one point, kept exact: value = whole + fraction / 10^digits.
struct Number {
  std::int64_t whole = 0;
  std::int64_t fraction = 0;
  std::int64_t scale = 1;
};

bool take_number(std::string_view& rest, Number& out) {
  std::size_t digits = 0;
  for (; !rest.empty() && is_digit(rest.front()); rest.remove_prefix(1), ++digits) {
    if (out.whole > 1'000'000'000'000'000'000) return false;
    if (__builtin_mul_overflow(out.whole, 10, &out.whole)) return false;
    if (__builtin_add_overflow(out.whole, rest.front() - '0', &out.whole)) return false;
  }
  if (rest.starts_with('.')) {
    rest.remove_prefix(1);
    for (; !rest.empty() && is_digit(rest.front()); rest.remove_prefix(1), ++digits) {
      if (out.scale >= 1'000'000'000) continue;  // below a nanosecond of a second
      out.fraction = out.fraction * 10 + (rest.front() - '0');
      out.scale *= 10;
    }
  }
  return digits > 0;
}

// The part after the point, rounded down to nanoseconds.
Duration fraction_of(const Unit& unit, const Number& number) {
  __extension__ using Wide = __int128;
  const Wide ns = static_cast<Wide>(number.fraction) * unit.ns / number.scale;
  return Duration::nanoseconds(static_cast<std::int64_t>(ns));
}

}  // namespace

Duration Duration::from_seconds(double seconds) {
  if (std::isnan(seconds)) return {};
  if (seconds >= 9.2e9) return max();
  if (seconds <= -9.2e9) return min();
  return Duration(static_cast<std::int64_t>(std::llround(seconds * 1e9)));
}

Result<Duration> parse_duration(std::string_view text) {
  std::string_view rest = text;
  const bool negative = rest.starts_with('-');
  if (negative || rest.starts_with('+')) rest.remove_prefix(1);
  if (rest.empty()) return fail(bad_duration(text, "empty"));
  Duration sum;
  while (!rest.empty()) {
    Number number;
    if (!take_number(rest, number)) return fail(bad_duration(text, "expected a number"));
    const Unit* unit = take_unit(rest);
    if (unit == nullptr) return fail(bad_duration(text, "expected a unit: w d h m s ms us ns"));
    sum += Duration::nanoseconds(unit->ns) * number.whole + fraction_of(*unit, number);
    if (sum == Duration::max()) return fail(bad_duration(text, "longer than 292 years"));
  }
  return negative ? -sum : sum;
}

std::string format(Duration duration) {
  if (duration == Duration()) return "0s";
  std::string out = duration.ns() < 0 ? "-" : "";
  // The magnitude of the most negative value does not fit in an int64.
  std::uint64_t rest = duration.ns() < 0 ? ~static_cast<std::uint64_t>(duration.ns()) + 1
                                         : static_cast<std::uint64_t>(duration.ns());
  for (const Unit& unit : kUnits) {
    const std::uint64_t count = rest / static_cast<std::uint64_t>(unit.ns);
    if (count == 0) continue;
    out += std::to_string(count);
    out += unit.name;
    rest %= static_cast<std::uint64_t>(unit.ns);
  }
  return out;
}

}  // namespace timepool
