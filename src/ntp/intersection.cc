#include "ntp/intersection.h"

#include "base/check.h"

namespace timepool::ntp {

bool Intersection::add(const Interval& interval) {
  if (size_ >= edges_.size()) return false;
  CHECK(interval.low <= interval.high);
  edges_[size_++] = {interval.low, +1};
  edges_[size_++] = {interval.high, -1};
  sorted_ = false;
  return true;
}

void Intersection::sort() const {
  if (sorted_) return;
  // Intervals are closed: where one ends and another begins at one point, they meet there.
  std::sort(
      edges_.begin(), edges_.begin() + static_cast<std::ptrdiff_t>(size_),
      [](const Edge& a, const Edge& b) { return a.at != b.at ? a.at < b.at : a.step > b.step; });
  sorted_ = true;
}

std::size_t Intersection::most() const {
  sort();
  int depth = 0;
  int out = 0;
  for (std::size_t i = 0; i < size_; ++i) out = std::max(out, depth += edges_[i].step);
  return static_cast<std::size_t>(out);
}

StaticVector<Interval, kMaxCandidates> Intersection::stretches(std::size_t count) const {
  CHECK(count > 0);
  sort();
  StaticVector<Interval, kMaxCandidates> out;
  int depth = 0;
  Duration low;
  for (std::size_t i = 0; i < size_; ++i) {
    const bool before = depth >= static_cast<int>(count);
    depth += edges_[i].step;
    const bool after = depth >= static_cast<int>(count);
    if (!before && after) low = edges_[i].at;
    // Each stretch ends where an interval does: there are no more of them than intervals.
    if (before && !after) CHECK(out.push_back({low, edges_[i].at}));
  }
  return out;
}

Interval Intersection::hull(std::size_t count) const {
  const auto all = stretches(count);
  CHECK(!all.empty());
  return {all[0].low, all.back().high};
}

}  // namespace timepool::ntp
