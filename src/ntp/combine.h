// Combiner: makes a ClockEstimate from the combined offsets of the sources as they come: a line
// through the last of them by least squares.
#pragma once

#include <optional>

#include "base/ring_buffer.h"
#include "ntp/clock_estimate.h"

namespace timepool::ntp {

class Combiner {
 public:
  static constexpr std::size_t kPoints = 16;

  // A new combined offset (true less raw time).
  ClockEstimate add(LocalTime at, Duration offset, Duration bound, std::size_t sources);
  void clear() { points_.clear(); }

 private:
  struct Point {
    LocalTime at;
    Duration offset;
  };

  RingBuffer<Point, kPoints> points_;
};

}  // namespace timepool::ntp
