#include "ntp/clock_filter.h"

#include <algorithm>
#include <cmath>

#include "base/check.h"
#include "ntp/exchange.h"

namespace timepool::ntp {

Duration ClockFilter::error_bound(const Sample& sample, MonoTime now) const {
  return sample.root_distance() + drift_over(now - sample.at.mono, clock_error_ppb_);
}

Duration ClockFilter::jitter_about(const Sample& believed) const {
  const Duration least = exp2_seconds(believed.precision);
  if (samples_.size() < 2) return least;
  double sum = 0;
  for (std::size_t i = 0; i < samples_.size(); ++i) {
    const double difference = (samples_[i].offset - believed.offset).to_seconds();
    sum += difference * difference;
  }
  const double mean = sum / static_cast<double>(samples_.size() - 1);
  return std::max(least, Duration::from_seconds(std::sqrt(mean)));
}

Estimate ClockFilter::estimate(MonoTime now) const {
  CHECK(!samples_.empty());
  std::size_t best = 0;
  for (std::size_t i = 1; i < samples_.size(); ++i) {
    // Of two as good, the newer one.
    if (error_bound(samples_[i], now) <= error_bound(samples_[best], now)) best = i;
  }
  Estimate out;
  out.sample = samples_[best];
  out.jitter = jitter_about(out.sample);
  out.dispersion = out.sample.dispersion + drift_over(now - out.sample.at.mono, clock_error_ppb_);
  out.distance = error_bound(out.sample, now) + out.jitter;
  return out;
}

}  // namespace timepool::ntp
