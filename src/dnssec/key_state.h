// KeyState file: a zone's KeyRecord as text, with the mark of the clock that it was written at. One
// file for each zone, replaced as a whole before anything of it is published. Lines of words, the
// first word says what it is; the last line has a digest of all before it, so that a damaged file
// is told from an old one.
//
//   timepool dnssec state 1
//   zone pool.example.
//   time 1800000000 signed                  or: unsign
//   clock <boot, 32 hexadecimal digits> <nanoseconds since boot>
//   ttl dnskey 3600 0 1800000000            value, the larger one before, since when
//   key 12345 csk 13 <public key, base64> created 1800000000 wanted published 1800000000 - signing
//       ... - offered - - parent - -        (one line)
//   digest <16 hexadecimal digits>
//
// PlanClock counts the plan's time: by the clock since the machine's boot, which neither steps nor
// stands still in a suspend. Over a reboot it goes on from where the file was written: what the
// system's clock says then may be anything, and to wait longer is always safe.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/duration.h"
#include "base/result.h"
#include "dnssec/key_plan.h"

namespace timepool::dnssec {

inline constexpr std::size_t kMaxStateText = 32 << 10;

// A moment by the machine's clocks (sys/clock.h).
struct ClockMark {
  std::array<std::byte, 16> boot{};  // of this run of the kernel; zeros: not known
  Duration since_boot;               // suspends included
  bool operator==(const ClockMark&) const = default;
};

struct KeyStateFile {
  std::string zone;  // as text with the ending dot, in lower case
  KeyRecord record;
  ClockMark mark;
  bool operator==(const KeyStateFile&) const = default;
};

enum class StateFault : std::uint8_t {
  kNotOurs,    // the first line is not that of such a file
  kVersion,    // of a later version
  kTruncated,  // it ends before its digest
  kDigest,     // the digest is another: damaged, or changed by hand
  kBadLine,    // a line that is none of ours
  kBadNumber,  // a number, a word or a key that can't be
  kTooMany,    // more keys than KeyPlan::kMaxKeys, or two with the same tag
  kTooLong,
};
inline constexpr std::size_t kStateFaultCount = 8;
// "the file is cut off", ...
std::string_view describe(StateFault fault);

struct StateError {
  StateFault fault;
  std::uint16_t line = 0;  // from 1; 0: the whole file
};

std::string format_state(const KeyStateFile& state);
// `lines`, each with its end, and the line with their digest behind them.
std::string with_digest(std::string lines);
Result<KeyStateFile, StateError> parse_state(std::string_view text);

class PlanClock {
 public:
  // That of a file; `now` is the mark of this moment.
  PlanClock(PlanTime time, const ClockMark& written, const ClockMark& now);
  // Goes on to `now`; never back.
  PlanTime advance(const ClockMark& now);

 private:
  Duration time_;  // since 1970, as whoever began the plan saw it
  ClockMark mark_;
};

}  // namespace timepool::dnssec
