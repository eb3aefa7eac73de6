// RefclockReading: what the driver of a reference clock got at one moment, and RefclockReason: what
// became of it. Each look at a driver's device, and each datagram, has exactly one reason.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/duration.h"
#include "base/time.h"
#include "wire/ntp/header.h"

namespace timepool::ntp {

struct RefclockReading {
  UnixTime local;       // what the local clock read at the event
  Duration offset;      // the reference clock's time less the local clock's; of a pulse nothing
  Duration dispersion;  // how far the reading itself may be off: resolution, time it took
  // A pulse tells where a second (or a part of one) begins, not which.
  bool pulse = false;
  wire::ntp::Leap leap = wire::ntp::Leap::kNone;
};

enum class RefclockReason : std::uint8_t {
  kAccepted,
  kNothingNew,      // the device has nothing since the last look
  kTorn,            // the shared memory was being written
  kWrongSize,       // a datagram of another length than the format's
  kWrongMagic,      // a datagram without the format's mark
  kBadField,        // a value outside its range
  kNotFinite,       // an offset that is no number
  kTooLarge,        // an offset of more than kMaxRefclockOffset
  kUnsynchronised,  // the reference clock itself says that it has no time
  kDuplicate,       // the same moment again, or an earlier one
  kStale,           // of a moment too long ago
  kFuture,          // of a moment that has not come
  kNarrowPulse,     // shorter than the least width
  kNoSecond,        // a pulse, and nothing tells which second it begins
  kAmbiguous,       // a pulse that could begin more than one second
  kNoTaiOffset,     // in TAI, and the difference to UTC is not known
  kTooDispersed,    // the readings of a poll scatter too much
  kDeviceFailed,    // the system refused to read the device
};
inline constexpr std::size_t kRefclockReasonCount = 18;

// "accepted", "nothing_new", ...
std::string_view name_of(RefclockReason reason);

// 2^31 s, 68 years: a receiver that counts weeks wrongly is off by 19.6 years at a time.
inline constexpr Duration kMaxRefclockOffset = Duration::seconds(std::int64_t{1} << 31);

}  // namespace timepool::ntp
