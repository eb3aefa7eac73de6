#include "sim/clock.h"

#include <algorithm>
#include <cmath>

#include "base/check.h"
#include "sim/distribution.h"

namespace timepool::sim {
namespace {
// The random walk takes a step each second of true time, whoever reads the clock and when.
constexpr Duration kGrid = Duration::seconds(1);
}  // namespace

Clock::Clock(const ClockConfig& config, UnixTime start, MonoTime mono_start, Prng prng)
    : start_(start),
      mono_start_(mono_start),
      prng_(prng),
      wander_ppm_(config.wander_ppm),
      frequency_ppm_(config.frequency_ppm),
      grid_(start),
      rate_since_(start),
      stepped_(config.offset) {
  CHECK(mono_start != MonoTime());
}

void Clock::advance_to(UnixTime truth) {
  CHECK(truth >= grid_);
  while (truth - grid_ >= kGrid) {
    drift_ns_ += frequency_ppm_ * 1e-6 * static_cast<double>(kGrid.ns());
    grid_ = grid_ + kGrid;
    if (next_frequency_ppm_) frequency_ppm_ = *next_frequency_ppm_;
    next_frequency_ppm_.reset();
    if (wander_ppm_ != 0) frequency_ppm_ += wander_ppm_ * normal(prng_);
  }
}

double Clock::drift_at(UnixTime truth) {
  advance_to(truth);
  return drift_ns_ + frequency_ppm_ * 1e-6 * static_cast<double>((truth - grid_).ns());
}

ntp::ClockReading Clock::read(UnixTime truth) {
  const double drift = drift_at(truth);
  const double since_rate =
      static_cast<double>((truth - rate_since_).ns()) + drift - rate_drift_ns_;
  const Duration gained =
      Duration::nanoseconds(std::llround(drift + slewed_ns_ + rate_ * since_rate));
  pass_leap(truth + gained + stepped_);
  return {mono_start_ + (truth - start_) + gained - suspended_, truth + gained + stepped_,
          suspended_};
}

MonoTime Clock::oscillator(UnixTime truth) {
  const Duration drift = Duration::nanoseconds(std::llround(drift_at(truth)));
  return mono_start_ + (truth - start_) + drift - suspended_;
}

void Clock::arm_leap(int seconds, UnixTime truth) {
  const UnixTime midnight = ntp::next_midnight(read(truth).system);
  if (seconds == 0) {
    leap_.reset();
  } else {
    leap_ = ntp::LeapSecond{midnight, seconds};
  }
}

void Clock::pass_leap(UnixTime system) {
  if (!leap_ || system < ntp::moment_of(*leap_)) return;
  stepped_ += ntp::step_of(*leap_);
  leap_.reset();
}

void Clock::set_rate(double rate, UnixTime truth) {
  const double drift = drift_at(truth);
  const double since_rate =
      static_cast<double>((truth - rate_since_).ns()) + drift - rate_drift_ns_;
  slewed_ns_ += rate_ * since_rate;
  rate_since_ = truth;
  rate_drift_ns_ = drift;
  rate_ = rate;
}

UnixTime Clock::moment_of(MonoTime deadline, UnixTime truth) {
  const Duration left = std::max(deadline - read(truth).mono, Duration());
  const double rate = (1.0 + frequency_ppm_ * 1e-6) * (1.0 + rate_);
  // A nanosecond more, so that rounding does not wake the node a moment early again and again.
  return truth + Duration::from_seconds(left.to_seconds() / rate) + Duration::nanoseconds(1);
}

}  // namespace timepool::sim
