#include "ntp/combine.h"

#include <algorithm>
#include <cmath>

namespace timepool::ntp {
namespace {

// The part of half the round trip that a path is usually wrong by, as a standard deviation.
constexpr double kPathError = 0.1;

double square(double value) {
  return value * value;
}

// Of the offset at the time of the estimate, with what its path may add.
double variance_of(const Estimate& estimate) {
  const Sample& sample = estimate.sample;
  const double path = (sample.delay + sample.root_delay).to_seconds() / 2 * kPathError;
  return square(estimate.offset_sd) + square(path) + square(sample.root_dispersion.to_seconds());
}

// A mean by inverse variance, of differences from the first value.
class Mean {
 public:
  void add(double value, double variance) {
    const double weight = 1 / std::max(variance, 1e-30);
    sum_ += weight * value;
    weights_ += weight;
  }
  bool empty() const { return weights_ == 0; }
  double value() const { return sum_ / weights_; }
  double variance() const { return 1 / weights_; }

 private:
  double sum_ = 0;
  double weights_ = 0;
};

}  // namespace

std::optional<ClockEstimate> combine(std::span<const Estimate> estimates, LocalTime now) {
  if (estimates.empty()) return std::nullopt;
  const Duration base = estimates[0].offset_at(now.raw);
  Mean offset;
  Mean own;
  Mean frequency;
  for (const Estimate& estimate : estimates) {
    const double from_base = (estimate.offset_at(now.raw) - base).to_seconds();
    offset.add(from_base, variance_of(estimate));
    own.add(from_base, square(estimate.offset_sd));
    if (estimate.has_frequency) frequency.add(estimate.frequency, square(estimate.frequency_sd));
  }
  ClockEstimate out;
  out.at = now;
  out.offset = base + Duration::from_seconds(offset.value());
  out.offset_sd = std::sqrt(own.variance());
  out.has_frequency = !frequency.empty();
  if (out.has_frequency) {
    out.frequency = frequency.value();
    out.frequency_sd = std::sqrt(frequency.variance());
  }
  return out;
}

}  // namespace timepool::ntp
