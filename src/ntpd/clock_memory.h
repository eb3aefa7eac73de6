// ClockMemory: what is known of the clock from one run to the next, as one JSON file:
//   {"frequency_ppm": 12.345, "frequency_error_ppm": 0.01, "last_good": "2026-11-21T12:34:56Z",
//    "was_set": true}
// frequency_ppm is what the clock must be made faster by: positive when the oscillator is slow.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/time.h"

namespace timepool::ntpd {

struct ClockMemory {
  std::optional<double> frequency_ppm;
  double frequency_error_ppm = 0;
  // RFC 8633 5.2: the last time that was known to be right.
  std::optional<UnixTime> last_good;
  // The clock was set on this machine before: there is no first start any more.
  bool was_set = false;
  bool operator==(const ClockMemory&) const = default;
};

std::string format_memory(const ClockMemory& memory);
// Errors: kCorrupt.
Result<ClockMemory> parse_memory(std::string_view text);

// No file is an empty memory; one that can't be read or understood is an error.
Result<ClockMemory> load_memory(const std::string& path);
Result<void> save_memory(const std::string& path, const ClockMemory& memory);

}  // namespace timepool::ntpd
