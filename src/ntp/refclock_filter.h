// RefclockFilter: makes one measurement of the readings that a reference clock gave in a poll:
// readings that lie far off the others are left out, the rest is averaged.
//
// The frequency error of the local clock makes the offsets run away within a poll, so readings are
// judged by their distance from a line through the medians of the two halves. A quarter of the
// readings may be anything and does not move that line. Those further off than three deviations
// (by the median of the distances) are outliers; the mean of the others, at their mean time, needs
// no line any more.
#pragma once

#include <cstddef>
#include <optional>
#include <vector>

#include "base/duration.h"
#include "base/time.h"
#include "wire/ntp/header.h"

namespace timepool::ntp {

inline constexpr std::size_t kMaxRefclockFilter = 1024;
inline constexpr std::size_t kDefaultRefclockFilter = 64;

// One reading, or what was made of many.
struct RefclockPoint {
  UnixTime at;          // raw
  Duration offset;      // reference less raw
  Duration dispersion;  // of the reading
  wire::ntp::Leap leap = wire::ntp::Leap::kNone;
};

struct RefclockMean {
  RefclockPoint point;   // dispersion: of the mean, with the scatter's part
  Duration scatter;      // deviation of one reading from the line
  std::size_t used = 0;  // readings that were averaged
  std::size_t left_out = 0;
};

class RefclockFilter {
 public:
  // 1 to kMaxRefclockFilter readings are kept, the newest.
  explicit RefclockFilter(std::size_t length);

  void add(const RefclockPoint& point);
  void clear();
  std::size_t size() const { return points_.size(); }
  // The reading that was added last. CHECKs that there is one.
  const RefclockPoint& newest() const;
  // How many readings a mean needs: four, or all where fewer are kept.
  std::size_t least() const;
  // Nothing while there are fewer than least().
  std::optional<RefclockMean> mean() const;

 private:
  std::size_t length_;
  std::vector<RefclockPoint> points_;  // in the order of time
};

}  // namespace timepool::ntp
