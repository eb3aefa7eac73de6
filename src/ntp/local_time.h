// The kinds of local time.
//
//   ClockReading  both clocks of the system as they read at one moment. Steering changes the pace
//   of
//                 both; a step changes the system clock alone
//   LocalTime     one moment as the cores know it: mono for deadlines and ages, raw for measuring
//
// Raw time is what the system clock would read had nobody steered or stepped it since the program
// started: the same at the start, then the oscillator's own pace. Samples taken in raw time stay
// true when the clock is steered, so everything that measures works in it; ntp/local_clock.h maps.
#pragma once

#include "base/time.h"

namespace timepool::ntp {

struct ClockReading {
  MonoTime mono;
  UnixTime system;
  // How long the machine was suspended since it booted: `mono` stood still. Zero where unknown.
  Duration suspended;
};

struct LocalTime {
  MonoTime mono;
  UnixTime raw;
};

}  // namespace timepool::ntp
