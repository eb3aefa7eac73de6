#include "ntp/leap_smear.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "ntp/leap.h"

namespace timepool::ntp {
namespace {

// As LeapPassage's: the kernel steps at the next tick, others a little later.
constexpr Duration kStepTolerance = Duration::milliseconds(250);
constexpr Duration kStepEarly = Duration::seconds(2);
// Whom nobody tells waits for the step so long.
constexpr Duration kStepLate = Duration::seconds(10);
// Datagrams from before the step may wait for so long.
constexpr Duration kAfterStep = Duration::seconds(16);
// A shift covers the time until its next knee if that is so near.
constexpr Duration kKneeHorizon = kStepWatch;
// A chord over h of a curve whose second derivative is at most c departs from it by c h^2 / 8.
constexpr double kChordError = 25e-9;
constexpr Duration kLongestInterval = Duration::seconds(16);

bool near(Duration a, Duration b) {
  return (a - b).abs() < kStepTolerance;
}

}  // namespace

Duration LeapSmear::interval() const {
  if (config_.shape == SmearShape::kLinear) return kLongestInterval;
  // The cosine's second derivative is at most pi^2 / (2 T^2).
  const double chord = config_.window.to_seconds() * std::sqrt(16 * kChordError) / std::numbers::pi;
  return std::min(Duration::from_seconds(chord), kLongestInterval);
}

double LeapSmear::share(UnixTime line) const {
  const double part = std::clamp((line - begin()).to_seconds() / length().to_seconds(), 0.0, 1.0);
  if (config_.shape == SmearShape::kLinear) return part;
  return (1 - std::cos(std::numbers::pi * part)) / 2;
}

// Finds the leap that matters now, and out whether it has stepped the clock.
void LeapSmear::follow(const ClockReading& now, const LeapKnowledge& known) {
  const Duration wall = wall_of(now.system, now.mono);
  const Duration reach = config_.window / 2 + kStepWatch;
  std::optional<LeapSecond> leap;
  if (known.table != nullptr) leap = known.table->next(now.system - reach);
  if (leap && leap->at > now.system + reach) leap.reset();
  if (leap != leap_) {
    leap_ = leap;
    stepped_ = false;
    passed_ = leap && now.system >= leap->at;
    wall_ = wall;
  }
  if (!leap_ || passed_) return;
  const UnixTime line = now.system - (wall - wall_);
  if (near(wall - wall_, step_of(*leap_)) && line >= moment_of(*leap_) - kStepEarly) {
    stepped_ = true;
    passed_ = true;
    return;
  }
  wall_ = wall;
  // True time went over it and the clock was left alone; or nobody tells, and it was not stepped.
  passed_ = known.applied == leap_ || now.system >= moment_of(*leap_) + kStepLate;
}

// The smear's line near `line`, whose system clock is at `line` as well.
ServedShift LeapSmear::draw(UnixTime line, Duration ahead) const {
  ServedShift out;
  const auto departure = [this](UnixTime when) {
    return Duration::from_seconds(-leap_->seconds * share(when));
  };
  out.from = line;
  out.offset = departure(line);
  const UnixTime next = line < begin() ? begin() : end();
  const bool curved = config_.shape == SmearShape::kCosine;
  const auto slope = [&](UnixTime from, Duration span) {
    return (departure(from + span) - departure(from)).to_seconds() / span.to_seconds();
  };
  out.knee = line + Duration::seconds(3600);
  if (line >= end()) return out;
  if (curved) {
    out.rate = slope(line, ahead);
    out.rate_after_knee = out.rate;
    return out;
  }
  const double steady = -leap_->seconds / length().to_seconds();
  out.rate = line < begin() ? 0 : steady;
  out.rate_after_knee = out.rate;
  if (next - line < kKneeHorizon) {
    out.knee = next;
    out.rate_after_knee = line < begin() ? steady : 0;
  }
  return out;
}

ServedShift LeapSmear::shift(const ClockReading& now, const LeapKnowledge& known) {
  follow(now, known);
  departure_.reset();
  if (!leap_) return {};
  const Duration leap = Duration::seconds(leap_->seconds);
  const Duration step = stepped_ ? step_of(*leap_) : Duration();
  const LeapBacklog backlog = passed_ && !stepped_ ? known.backlog : LeapBacklog();
  const UnixTime utc = now.system + backlog.remaining;
  const UnixTime line = passed_ ? utc + leap : utc;
  ServedShift out = draw(line, interval());
  const Duration departure = out.offset + (passed_ ? leap : Duration());
  if (line > begin() && line < end()) departure_ = departure;
  // From the smear's line to the one of the system clock as it would read unstepped.
  const UnixTime unstepped = now.system - step;
  out.offset += line - unstepped;
  out.knee = unstepped + (out.knee - line);
  out.from = unstepped;
  // A second of the system clock is 1 + rate of the line's.
  out.rate = backlog.rate + out.rate * (1 + backlog.rate);
  out.rate_after_knee = backlog.rate + out.rate_after_knee * (1 + backlog.rate);
  const Duration until = moment_of(*leap_) - unstepped;
  const bool watch = stepped_ ? -until < kAfterStep : !passed_ && until < kStepWatch;
  if (watch) {
    out.step = step_of(*leap_);
    out.step_at = moment_of(*leap_);
    out.wall = wall_;
  } else if (stepped_) {
    // Nothing from before the step is left: by the system clock as it is.
    out.offset += unstepped - now.system;
    out.from = now.system;
    out.knee = out.knee + step;
  }
  if (out.offset == Duration() && out.rate == 0 && out.rate_after_knee == 0 && !watch) return {};
  return out;
}

wire::ntp::ReferenceId smear_reference_id(Duration departure) {
  // Modulo 4 s; rounded to the nearest 2^-22 s.
  const double units = departure.to_seconds() * (1 << 22);
  const auto bits = static_cast<std::uint32_t>(std::llround(units)) & 0xffffffU;
  return wire::ntp::ReferenceId::from_bits(0xfe000000U | bits);
}

}  // namespace timepool::ntp
