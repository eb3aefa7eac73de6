// LocalTime: one moment on both local clocks: the one that never steps, for deadlines and ages, and
// the system clock, which is what offsets are measured against.
#pragma once

#include "base/time.h"

namespace timepool::ntp {

struct LocalTime {
  MonoTime mono;
  UnixTime unix;
};

// A difference of the two clocks' advances above this is a step of the system clock; below, it may
// be the delay between reading one and reading the other.
inline constexpr Duration kStepThreshold = Duration::milliseconds(100);

// How far the system clock was stepped from `before` to `now`: its advance less the other's.
inline Duration step_between(const LocalTime& before, const LocalTime& now) {
  return (now.unix - before.unix) - (now.mono - before.mono);
}
inline bool stepped_between(const LocalTime& before, const LocalTime& now) {
  return step_between(before, now).abs() > kStepThreshold;
}

}  // namespace timepool::ntp
