// Clock: the clock of one node: an oscillator with a frequency error that wanders as a random walk,
// read as the clock that never steps and as the system clock.
#pragma once

#include <cstdint>

#include "base/prng.h"
#include "base/time.h"
#include "ntp/local_time.h"

namespace timepool::sim {

struct ClockConfig {
  Duration offset;           // of the system clock at the start: local less true
  double frequency_ppm = 0;  // positive runs fast
  double wander_ppm = 0;     // deviation of the frequency's change in a second
};

class Clock {
 public:
  // `start`: true time. `mono_start` must not be zero.
  Clock(const ClockConfig& config, UnixTime start, MonoTime mono_start, Prng prng);

  // Both clocks at a moment of true time; moments must not go back.
  ntp::LocalTime read(UnixTime truth);
  // True time when mono will be `deadline`, if the frequency stays as it is; not before `truth`.
  UnixTime moment_of(MonoTime deadline, UnixTime truth);
  // Steps the system clock forward (or back) by this much.
  void step(Duration by) { stepped_ += by; }
  // True time less the system clock's: what a client should measure.
  Duration true_offset(UnixTime truth) { return truth - read(truth).unix; }

 private:
  void advance_to(UnixTime truth);

  UnixTime start_;
  MonoTime mono_start_;
  Prng prng_;
  double wander_ppm_;
  double frequency_ppm_;
  UnixTime grid_;        // the frequency is constant from here for a second
  double drift_ns_ = 0;  // gathered until grid_
  Duration stepped_;     // initial offset and steps
};

}  // namespace timepool::sim
