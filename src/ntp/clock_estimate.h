// ClockEstimate: what all sources together say about our clock, in raw time.
#pragma once

#include "base/duration.h"
#include "ntp/local_time.h"

namespace timepool::ntp {

struct ClockEstimate {
  LocalTime at;
  Duration offset;  // true time less raw time, at `at`
  // Seconds by which true time advances more than one in a second of raw time: positive when the
  // oscillator is slow. Only meant with has_frequency.
  double frequency = 0;
  bool has_frequency = false;
  // One standard deviation of each, in seconds and in seconds per second.
  double offset_sd = 0;
  double frequency_sd = 0;
  // The most that the offset is wrong while a majority is honest.
  Duration bound;
  std::size_t sources = 0;        // how many agree
  std::size_t authenticated = 0;  // of them

  // The offset at another moment, by the frequency.
  Duration offset_at(UnixTime raw) const {
    return has_frequency ? offset + Duration::from_seconds(frequency * (raw - at.raw).to_seconds())
                         : offset;
  }
};

}  // namespace timepool::ntp
