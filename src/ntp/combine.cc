#include "ntp/combine.h"

#include <cmath>

namespace timepool::ntp {
namespace {

// Two points always lie on a line: they say nothing about how good it is.
constexpr std::size_t kLeastPoints = 3;

}  // namespace

ClockEstimate Combiner::add(LocalTime at, Duration offset, Duration bound, std::size_t sources) {
  points_.push_back({at, offset});
  ClockEstimate out{at, offset, 0, false, bound.to_seconds(), 0, bound, sources};
  const std::size_t count = points_.size();
  if (count < kLeastPoints) return out;
  const double n = static_cast<double>(count);
  double mean_x = 0;
  double mean_y = 0;
  const auto x = [&](std::size_t i) { return (points_[i].at.raw - at.raw).to_seconds(); };
  const auto y = [&](std::size_t i) { return (points_[i].offset - offset).to_seconds(); };
  for (std::size_t i = 0; i < count; ++i) {
    mean_x += x(i) / n;
    mean_y += y(i) / n;
  }
  double xx = 0;
  double xy = 0;
  for (std::size_t i = 0; i < count; ++i) {
    xx += (x(i) - mean_x) * (x(i) - mean_x);
    xy += (x(i) - mean_x) * (y(i) - mean_y);
  }
  if (xx <= 0) return out;
  const double slope = xy / xx;
  double residuals = 0;
  for (std::size_t i = 0; i < count; ++i) {
    const double residual = y(i) - mean_y - slope * (x(i) - mean_x);
    residuals += residual * residual;
  }
  const double variance = residuals / (n - 2);
  out.has_frequency = true;
  out.frequency = slope;
  out.frequency_sd = std::sqrt(variance / xx);
  out.offset = offset + Duration::from_seconds(mean_y - slope * mean_x);
  out.offset_sd = std::sqrt(variance * (1 / n + mean_x * mean_x / xx));
  return out;
}

}  // namespace timepool::ntp
