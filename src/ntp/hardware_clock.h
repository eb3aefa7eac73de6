// HardwareClock: maps a network device's clock to raw time. The device's clock runs by a crystal of
// its own, is set by nobody or by another program, and is read against the system clock now and
// then; between two readings it is taken to run evenly. Nanosecond integers throughout: only the
// small difference of the two rates is a double.
#pragma once

#include <cstddef>
#include <optional>

#include "base/ring_buffer.h"
#include "base/time.h"

namespace timepool::ntp {

// Both clocks at one moment.
struct HardwareReading {
  UnixTime device;
  UnixTime raw;
  Duration error;  // half of the time that the comparison took
};

struct MappedStamp {
  UnixTime raw;
  Duration error;
};

class HardwareClock {
 public:
  // The clock is taken to run evenly over this many readings at the most, fewer as it wanders.
  static constexpr std::size_t kMaxReadings = 16;
  // Beyond the last reading nothing is said for longer than this.
  static constexpr Duration kMaxAge = Duration::seconds(64);

  // Readings come in the order of time. One that does not fit those before means that a clock was
  // stepped: then those before are dropped.
  void add(const HardwareReading& reading);
  // The raw time at which the device's clock showed `device`; nothing without a reading or when it
  // is more than kMaxAge away from the latest.
  std::optional<MappedStamp> raw_of(UnixTime device) const;
  std::size_t readings() const { return readings_.size(); }
  // Frequency of the device's clock against raw time, in parts in a million; positive runs fast.
  double frequency_ppm() const { return -slope_ * 1e6; }

 private:
  void fit(std::size_t count);
  double residual(const HardwareReading& reading) const;
  bool drifts(std::size_t count) const;

  RingBuffer<HardwareReading, kMaxReadings> readings_;
  // raw - device, less the same of the latest reading, is
  // intercept_ns_ + slope_ * (device - latest device).
  double intercept_ns_ = 0;
  double slope_ = 0;
  Duration error_;
};

}  // namespace timepool::ntp
