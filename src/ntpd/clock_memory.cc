#include "ntpd/clock_memory.h"

#include <boost/json.hpp>
#include <cmath>

#include "sys/file.h"

namespace timepool::ntpd {
namespace {

namespace json = boost::json;

constexpr std::size_t kMaxFile = 4096;
// What no oscillator is off: a number above it is damage.
constexpr double kMaxFrequency = 100'000;

Failure<Error> corrupt(const std::string& what) {
  return fail(Error{ErrorCode::kCorrupt, "read the clock's memory", what});
}

// A number within the limit; false when the key is there and holds anything else.
bool take_number(const json::object& object, const char* key, double limit,
                 std::optional<double>& out) {
  const json::value* value = object.if_contains(key);
  if (value == nullptr) return true;
  if (!value->is_number()) return false;
  out = value->to_number<double>();
  return std::isfinite(*out) && std::abs(*out) <= limit;
}

}  // namespace

std::string format_memory(const ClockMemory& memory) {
  json::object out;
  if (memory.frequency_ppm) {
    out["frequency_ppm"] = *memory.frequency_ppm;
    out["frequency_error_ppm"] = memory.frequency_error_ppm;
  }
  if (memory.last_good) out["last_good"] = format_utc(*memory.last_good, 0);
  out["was_set"] = memory.was_set;
  return json::serialize(out) + "\n";
}

Result<ClockMemory> parse_memory(std::string_view text) {
  boost::system::error_code error;
  const json::value value = json::parse(text, error);
  if (error || !value.is_object()) return corrupt("not a JSON object");
  const json::object& object = value.get_object();
  ClockMemory out;
  std::optional<double> frequency_error;
  if (!take_number(object, "frequency_ppm", kMaxFrequency, out.frequency_ppm) ||
      !take_number(object, "frequency_error_ppm", kMaxFrequency, frequency_error)) {
    return corrupt("no frequency of a clock");
  }
  out.frequency_error_ppm = std::abs(frequency_error.value_or(0));
  if (const json::value* good = object.if_contains("last_good"); good != nullptr) {
    if (!good->is_string()) return corrupt("last_good is no text");
    const Result<UnixTime> time = parse_utc(good->get_string());
    if (!time.ok()) return corrupt("last_good is no time");
    out.last_good = *time;
  }
  const json::value* set = object.if_contains("was_set");
  out.was_set = set != nullptr && set->is_bool() && set->get_bool();
  return out;
}

Result<ClockMemory> load_memory(const std::string& path) {
  const Result<std::string> text = sys::read_file(path, kMaxFile);
  if (!text.ok()) {
    if (text.error().code == ErrorCode::kNotFound) return ClockMemory{};
    return fail(text.error());
  }
  return parse_memory(*text);
}

Result<void> save_memory(const std::string& path, const ClockMemory& memory) {
  TRY(sys::make_directories(sys::directory_of(path)));
  return sys::write_file_atomic(path, format_memory(memory));
}

}  // namespace timepool::ntpd
