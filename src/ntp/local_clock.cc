#include "ntp/local_clock.h"

#include <algorithm>
#include <cmath>

namespace timepool::ntp {
namespace {

Duration rounded(double ns) {
  return Duration::nanoseconds(std::llround(ns));
}

}  // namespace

LocalClock::LocalClock(const ClockReading& start, double rate) {
  const Duration wall =
      Duration::nanoseconds(start.system.ns()) - Duration::nanoseconds(start.mono.ns());
  segments_.push_back({start.mono, start.system, 0, rate, wall});
}

// Differences only go through a double, never whole times: at a rate of 10 % and after a month its
// resolution is still below a tenth of a nanosecond.
UnixTime LocalClock::raw_at(MonoTime mono) const {
  std::size_t i = segments_.size() - 1;
  while (i > 0 && mono < segments_[i].mono) --i;
  const Segment& in = segments_[i];
  const Duration since = mono - in.mono;
  const double lost = static_cast<double>(since.ns()) * (in.rate / (1 + in.rate));
  return in.raw + since + rounded(in.fraction - lost);
}

UnixTime LocalClock::raw(UnixTime system) const {
  const auto mono_by = [&](const Segment& segment) {
    return MonoTime() + (system - (UnixTime() + segment.wall));
  };
  std::size_t i = segments_.size() - 1;
  while (i > 0 && mono_by(segments_[i]) < segments_[i].mono) --i;
  MonoTime mono = mono_by(segments_[i]);
  // A reading that a step forward has skipped belongs to the step.
  if (i + 1 < segments_.size()) mono = std::min(mono, segments_[i + 1].mono);
  return raw_at(mono);
}

MonoTime LocalClock::mono(UnixTime raw) const {
  std::size_t i = segments_.size() - 1;
  while (i > 0 && raw < segments_[i].raw) --i;
  const Segment& in = segments_[i];
  const Duration since = raw - in.raw;
  const double exact = static_cast<double>(since.ns()) - in.fraction;
  return in.mono + since + rounded(exact * in.rate - in.fraction);
}

UnixTime LocalClock::system(UnixTime raw) const {
  std::size_t i = segments_.size() - 1;
  while (i > 0 && raw < segments_[i].raw) --i;
  return UnixTime() + segments_[i].wall + (mono(raw) - MonoTime());
}

LocalClock::Segment LocalClock::next(MonoTime at) const {
  const Segment& last = segments_.back();
  Segment out = last;
  out.mono = std::max(at, last.mono);
  const Duration since = out.mono - last.mono;
  const double exact =
      last.fraction - static_cast<double>(since.ns()) * (last.rate / (1 + last.rate));
  out.raw = last.raw + since + rounded(exact);
  out.fraction = exact - std::round(exact);
  return out;
}

void LocalClock::rate_changed(MonoTime at, double rate) {
  Segment segment = next(at);
  segment.rate = rate;
  segments_.push_back(segment);
}

void LocalClock::stepped(MonoTime at, Duration by) {
  Segment segment = next(at);
  segment.wall += by;
  segments_.push_back(segment);
}

void LocalClock::slept(MonoTime at, Duration span) {
  Segment segment = next(at);
  segment.raw = segment.raw + span;
  segment.wall += span;
  segments_.push_back(segment);
}

Duration LocalClock::unexplained(const ClockReading& reading) const {
  return reading.system - (UnixTime() + segments_.back().wall + (reading.mono - MonoTime()));
}

}  // namespace timepool::ntp
