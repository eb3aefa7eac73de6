// Intersection: where most of a set of closed intervals meet (RFC 5905 11.2.1, Marzullo's
// algorithm). Pure geometry: who may be believed is selection.h's business.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>

#include "base/duration.h"
#include "base/static_vector.h"

namespace timepool::ntp {

// More members than this are not selected among. 16 sources of 4 addresses.
inline constexpr std::size_t kMaxCandidates = 64;

// A closed interval; low is not above high.
struct Interval {
  Duration low;
  Duration high;

  bool operator==(const Interval&) const = default;
  bool overlaps(const Interval& other) const { return low <= other.high && high >= other.low; }
  bool contains(const Interval& other) const { return low <= other.low && high >= other.high; }
  Duration clamp(Duration value) const { return std::clamp(value, low, high); }
  // How far the farther end is from `value`.
  Duration reach_from(Duration value) const { return std::max(value - low, high - value); }
};

class Intersection {
 public:
  // False when kMaxCandidates are in.
  [[nodiscard]] bool add(const Interval& interval);
  std::size_t size() const { return size_ / 2; }

  // The most intervals that have one point in common; 0 when there are none.
  std::size_t most() const;
  // The stretches, in order, each point of which is in at least `count` intervals; `count` >= 1.
  StaticVector<Interval, kMaxCandidates> stretches(std::size_t count) const;
  // From the first such point to the last. CHECKs that there is one.
  Interval hull(std::size_t count) const;

 private:
  struct Edge {
    Duration at;
    int step = 0;  // +1 where an interval begins, -1 where it ends
  };
  void sort() const;

  mutable std::array<Edge, 2 * kMaxCandidates> edges_{};
  mutable bool sorted_ = true;
  std::size_t size_ = 0;
};

}  // namespace timepool::ntp
