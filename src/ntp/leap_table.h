// LeapTable: the leap seconds that were and will be, as leap-seconds.list tells them (the format of
// IERS and NIST):
//
//   #$ 3960835200                  when the file was last changed, NTP seconds
//   #@ 3991593600                  when it expires: nobody knows what comes after
//   2272060800  10  # 1 Jan 1972   from this second on TAI - UTC is 10 s
//   #h 49db2447 571e5e1b ...       SHA-1 over the digits of all of these, in the order of the file
//
// Seconds are counted from 1900 and never wrap in this file. Immutable once parsed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/time.h"

namespace timepool::ntp {

// The list of 2026 has 12 kB and 28 lines of data; two leaps a year for a century add 200.
inline constexpr std::size_t kMaxLeapFileSize = 64 * 1024;
inline constexpr std::size_t kMaxLeapEntries = 256;

enum class LeapFileError : std::uint8_t {
  kTooLong,        // above kMaxLeapFileSize or kMaxLeapEntries
  kBadLine,        // neither a comment nor two numbers
  kNoUpdate,       // no line "#$"
  kNoExpiry,       // no line "#@"
  kNoEntries,      // no line of data
  kNotAscending,   // the lines of data are not in the order of time
  kNotOneSecond,   // TAI - UTC does not change by one second
  kNotMonthStart,  // it does not change where a month begins (ITU-R TF.460)
  kBadHash,        // the hash is not that of what the file says
};
// "too_long", "bad_hash", ...
std::string_view name_of(LeapFileError error);

struct LeapFileFault {
  LeapFileError error = LeapFileError::kBadLine;
  std::size_t line = 0;  // from 1; 0: the file as a whole
  bool operator==(const LeapFileFault&) const = default;
};

// From `at` on, in UTC, TAI - UTC is `tai_offset` seconds.
struct LeapEntry {
  UnixTime at;
  int tai_offset = 0;
  bool operator==(const LeapEntry&) const = default;
};

// One leap: `seconds` is 1 when the second 23:59:60 is inserted before `at`, -1 when 23:59:59 is
// left out. `at` is 00:00:00 of the next day.
struct LeapSecond {
  UnixTime at;
  int seconds = 0;
  bool operator==(const LeapSecond&) const = default;
};

class LeapTable {
 public:
  static Result<LeapTable, LeapFileFault> parse(std::string_view text);

  UnixTime updated() const { return updated_; }
  UnixTime expires() const { return expires_; }
  bool expired(UnixTime now) const { return now >= expires_; }
  // Whether there was a hash; if so it was right.
  bool has_hash() const { return has_hash_; }
  std::span<const LeapEntry> entries() const { return entries_; }

  // TAI - UTC in seconds; empty before the first entry and from expires() on.
  std::optional<int> tai_offset(UnixTime utc) const;
  // The first leap after `utc`; empty when there is none before expires(), or nobody knows.
  std::optional<LeapSecond> next(UnixTime utc) const;

 private:
  LeapTable() = default;
  friend class LeapFileParser;

  UnixTime updated_;
  UnixTime expires_;
  bool has_hash_ = false;
  std::vector<LeapEntry> entries_;
};

}  // namespace timepool::ntp
