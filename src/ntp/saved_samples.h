// SavedSamples: the sources' windows of samples from one run to the next, for a warm restart, as
// chrony's dumpdir has them in function. The codec of the file and the rules by which a window is
// believed again; reading and writing files is the caller's.
//
// Samples are in raw time, which begins anew with each run (ntp/local_time.h). What relates the two
// runs is the oscillator's own clock, which nobody steers and which goes on while the machine runs
// (Linux: CLOCK_MONOTONIC_RAW): raw time has advanced as far as it has. So windows are good within
// one boot only, and not across a suspend, in which it stands still.
//
// The file, big-endian: "TPSS", u16 version (1), boot id (16 octets), i64 oscillator, i64 raw time,
// i64 system time, i64 suspended (ns), u16 number of windows; of each window u8 kind (0 a server, 1
// a reference clock), the address (u8 4 or 6, 4 or 16 octets), u16 port and u8 authenticated, or
// the name (u8 length, octets), u16 number of samples; of each sample the fields in the order of
// write_sample(). At the end SipHash-2-4 of all before, under a key of zeros: against damage, not
// against people.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/ip.h"
#include "base/result.h"
#include "ntp/estimator.h"

namespace timepool::ntp {

// Which run of the kernel: all zeros is unknown.
using BootId = std::array<std::byte, 16>;

// The oscillator's own clock, beside those that are steered.
struct OscillatorReading {
  BootId boot{};
  MonoTime oscillator;  // zero: there is no such clock
  MonoTime mono;        // at the same moment
  Duration suspended;   // as ClockReading's
};

// A moment of the run that saves, or of the one that goes on.
struct RunMoment {
  BootId boot{};
  MonoTime oscillator;
  UnixTime raw;
  UnixTime system;
  Duration suspended;
  bool operator==(const RunMoment&) const = default;
};

// One source's samples, and whose they are.
struct SampleWindow {
  Endpoint server;              // without a scope; of a reference clock empty
  bool authenticated = false;   // its replies were proved
  std::string refclock;         // else empty
  std::vector<Sample> samples;  // the oldest first, 1 to kMaxSamples
};

// Of the same source, measured as credibly.
bool same_identity(const SampleWindow& a, const SampleWindow& b);

struct SavedSamples {
  RunMoment at;
  std::vector<SampleWindow> windows;
};

// Those in use and as many that wait for their source.
inline constexpr std::size_t kMaxWindows = 128;
inline constexpr std::size_t kMaxWindowName = 255;
// kMaxSamples at the longest interval are 97 days.
inline constexpr Duration kMaxWindowAge = Duration::seconds(366 * 86'400);
// A header of 72 octets with the check sum; a window's longest key and count of 259; 76 a sample.
inline constexpr std::size_t kMaxSavedBytes =
    72 + kMaxWindows * (259 + kMaxSamples * std::size_t{76});

// Windows beyond kMaxWindows, names that are too long and samples that parse_samples() would not
// take are left out.
std::vector<std::byte> format_samples(const SavedSamples& saved);

enum class SavedFault : std::uint8_t {
  kForeign,  // no file of saved samples
  kVersion,  // of another version of this program
  kDamaged,  // the check sum is wrong
  kCut,      // it ends early, or goes on after its end
  kTooMany,  // more windows or samples than there can be
  kSource,   // a key that names no source
  kTime,     // a sample of the future, or from longer ago than kMaxWindowAge
  kSample,   // a value that no sample has
};
std::string_view name_of(SavedFault fault);
Result<SavedSamples, SavedFault> parse_samples(Bytes bytes);

// Between saving and going on at the most: it is as if the sources had been silent so long.
inline constexpr Duration kMaxPause = Duration::seconds(3600);

enum class StaleSamples : std::uint8_t {
  kNoOscillator,  // this system has no clock that nobody steers, or no boot id
  kOtherBoot,     // the machine was started anew
  kSuspended,     // it slept
  kPause,         // longer than kMaxPause
  kClockSet,      // system clock and oscillator disagree about how much time has passed
  kNewMonth,      // a leap second may lie between: UTC has them at the ends of months
};
std::string_view name_of(StaleSamples stale);

// Moves the windows into the raw time of the run in which it is `now`, `mono` by its monotonic
// clock. Every sample's dispersion grows by what the relation may be wrong.
Result<void, StaleSamples> carry_over(SavedSamples& saved, const RunMoment& now, MonoTime mono);

}  // namespace timepool::ntp
