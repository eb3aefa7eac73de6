#include "ntp/server/served_time.h"

#include <algorithm>
#include <cmath>

namespace timepool::ntp {
namespace {

// The clocks are not read at the same moment, and others may move them a little.
constexpr Duration kStepTolerance = Duration::milliseconds(250);
// Half a second tells a step of one from a worker that did not run.
constexpr Duration kHalf = Duration::milliseconds(500);
// Timestamps of different processors.
constexpr Duration kStampError = Duration::milliseconds(1);

}  // namespace

Duration ServedShift::at(UnixTime when) const {
  const Duration before = std::min(when, knee) - from;
  const Duration after = std::max(when - knee, Duration());
  const double moved =
      rate * static_cast<double>(before.ns()) + rate_after_knee * static_cast<double>(after.ns());
  return offset + Duration::nanoseconds(std::llround(moved));
}

void ServedTime::look(const ServedShift& shift, UnixTime system, MonoTime mono) {
  seen_ = system;
  stepped_ = (wall_of(system, mono) - shift.wall - shift.step).abs() < kStepTolerance;
}

UnixTime ServedTime::served(const ServedShift& shift, UnixTime system, bool stepped) {
  const UnixTime line = stepped ? system - shift.step : system;
  return line + shift.at(line);
}

// A step back makes what arrived before it look as if it arrived later than now; a step forward
// leaves out a second, in which nothing arrived.
bool ServedTime::arrived_after_step(const ServedShift& shift, UnixTime system) const {
  if (!shift.may_step() || !stepped_) return false;
  if (shift.step < Duration()) return system <= seen_ + kStampError;
  return system >= shift.step_at + kHalf;
}

bool ServedTime::reads_after_step(const ServedShift& shift, UnixTime system) const {
  if (!shift.may_step()) return false;
  // A time of leaving may be told after the step and be from before it.
  if (stepped_ && shift.step > Duration()) return system >= shift.step_at + kHalf;
  if (stepped_) return system <= seen_ + kHalf;
  if (shift.step < Duration()) return system < seen_ - kHalf;
  return seen_ < shift.step_at && system >= shift.step_at + kHalf;
}

}  // namespace timepool::ntp
