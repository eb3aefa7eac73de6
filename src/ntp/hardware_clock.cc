#include "ntp/hardware_clock.h"

#include <algorithm>
#include <cmath>

namespace timepool::ntp {
namespace {

// Two crystals, or one that is being steered, differ by less than this.
constexpr std::int64_t kMaxRateDifferencePpb = 1'000'000;
// A reading is not trusted to be better than this.
constexpr double kLeastErrorNs = 1;
// The rate changes by less in a second, in parts in 10^9.
constexpr std::int64_t kWanderPpb = 10;

double ns_between(UnixTime a, UnixTime b) {
  return static_cast<double>((a - b).ns());
}

Duration rate_bound(Duration span, std::int64_t ppb) {
  return Duration::nanoseconds(span.abs().ns() / 1'000'000 * ppb / 1'000);
}

}  // namespace

// In nanoseconds from what the fit says.
double HardwareClock::residual(const HardwareReading& reading) const {
  const HardwareReading& latest = readings_.back();
  const double offset =
      static_cast<double>(((reading.raw - reading.device) - (latest.raw - latest.device)).ns());
  return offset - intercept_ns_ - slope_ * ns_between(reading.device, latest.device);
}

// Least squares over the latest `count` readings, weighted by their errors.
void HardwareClock::fit(std::size_t count) {
  const HardwareReading& latest = readings_.back();
  double weights = 0;
  double sum_x = 0;
  double sum_y = 0;
  double sum_xx = 0;
  double sum_xy = 0;
  for (std::size_t i = readings_.size() - count; i < readings_.size(); ++i) {
    const HardwareReading& it = readings_[i];
    const double error = static_cast<double>(it.error.ns()) + kLeastErrorNs;
    const double weight = 1 / (error * error);
    const double x = ns_between(it.device, latest.device);
    const double y =
        static_cast<double>(((it.raw - it.device) - (latest.raw - latest.device)).ns());
    weights += weight;
    sum_x += weight * x;
    sum_y += weight * y;
    sum_xx += weight * x * x;
    sum_xy += weight * x * y;
  }
  const double spread = weights * sum_xx - sum_x * sum_x;
  slope_ = count > 1 && spread > 0 ? (weights * sum_xy - sum_x * sum_y) / spread : 0;
  intercept_ns_ = (sum_y - slope_ * sum_x) / weights;
}

// Whether the newest quarter lies to one side of the line by more than chance explains: the rate
// changed within the window.
bool HardwareClock::drifts(std::size_t count) const {
  const std::size_t newest = std::max<std::size_t>(count / 4, 1);
  double squares = 0;
  double sum = 0;
  for (std::size_t i = readings_.size() - count; i < readings_.size(); ++i) {
    const double off = residual(readings_[i]);
    squares += off * off;
    if (i >= readings_.size() - newest) sum += off;
  }
  const double deviation = std::sqrt(squares / static_cast<double>(count - 2)) + kLeastErrorNs / 2;
  const double mean = sum / static_cast<double>(newest);
  return std::abs(mean) > deviation / std::sqrt(static_cast<double>(newest));
}

void HardwareClock::add(const HardwareReading& reading) {
  if (!readings_.empty()) {
    const HardwareReading& last = readings_.back();
    const Duration advance = reading.device - last.device;
    const Duration change = (reading.raw - reading.device) - (last.raw - last.device);
    const Duration allowed =
        rate_bound(advance, kMaxRateDifferencePpb) + reading.error + last.error;
    const bool fits = advance > Duration() && change.abs() <= allowed + Duration::microseconds(1);
    if (!fits) readings_.clear();
  }
  readings_.push_back(reading);
  std::size_t count = readings_.size();
  fit(count);
  while (count > 3 && drifts(count)) {
    count = std::max<std::size_t>(count / 2, 3);
    fit(count);
  }
  // The truth is within the reading's error, whatever the line says.
  const double most = static_cast<double>(reading.error.ns()) + kLeastErrorNs;
  const double off = residual(reading);
  intercept_ns_ += off - std::clamp(off, -most, most);
  error_ = reading.error + Duration::nanoseconds(std::llround(std::abs(residual(reading))));
}

std::optional<MappedStamp> HardwareClock::raw_of(UnixTime device) const {
  if (readings_.empty()) return std::nullopt;
  const HardwareReading& latest = readings_.back();
  const Duration since = device - latest.device;
  if (since.abs() > kMaxAge) return std::nullopt;
  const double correction = intercept_ns_ + slope_ * static_cast<double>(since.ns());
  // Without a second reading nothing is known of the rate.
  const std::int64_t ppb = readings_.size() > 1 ? kWanderPpb : kMaxRateDifferencePpb;
  return MappedStamp{latest.raw + since + Duration::nanoseconds(std::llround(correction)),
                     error_ + rate_bound(since, ppb) + Duration::nanoseconds(1)};
}

}  // namespace timepool::ntp
