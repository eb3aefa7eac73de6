// Clock: the clock of one node: an oscillator with a frequency error that wanders as a random walk,
// read as the clock that never steps and as the system clock. Both can be given another rate, as a
// kernel does it, and the system clock can be stepped.
#pragma once

#include <cstdint>
#include <optional>

#include "base/prng.h"
#include "base/time.h"
#include "ntp/leap.h"
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
  ntp::ClockReading read(UnixTime truth);
  // The clock that no rate changes: CLOCK_MONOTONIC_RAW.
  MonoTime oscillator(UnixTime truth);
  // True time when mono will be `deadline`, if the frequency stays as it is; not before `truth`.
  UnixTime moment_of(MonoTime deadline, UnixTime truth);
  // Steps the system clock forward (or back) by this much.
  void step(Duration by) { stepped_ += by; }
  // From `truth` on both clocks advance 1 + rate seconds in a second of the oscillator.
  void set_rate(double rate, UnixTime truth);
  double rate() const { return rate_; }
  // From the next second of true time on, the oscillator has this frequency error.
  void set_frequency(double ppm) { next_frequency_ppm_ = ppm; }
  // The kernel inserts (1) or deletes (-1) a second at the end of the UTC day; 0: it does nothing.
  void arm_leap(int seconds, UnixTime truth);
  // The machine sleeps until `truth` + span: mono stands still, the oscillator and the clock that
  // runs from it go on.
  void suspend(Duration span) { suspended_ += span; }
  // True time less the system clock's: what a client should measure.
  Duration true_offset(UnixTime truth) { return truth - read(truth).system; }

 private:
  void advance_to(UnixTime truth);
  void pass_leap(UnixTime system);
  // Of the oscillator, in nanoseconds: what it has gained on true time.
  double drift_at(UnixTime truth);

  UnixTime start_;
  MonoTime mono_start_;
  Prng prng_;
  double wander_ppm_;
  double frequency_ppm_;
  std::optional<double> next_frequency_ppm_;
  UnixTime grid_;        // the frequency is constant from here for a second
  double drift_ns_ = 0;  // gathered until grid_
  double rate_ = 0;
  UnixTime rate_since_;
  double rate_drift_ns_ = 0;  // the oscillator's at rate_since_
  double slewed_ns_ = 0;      // by rates, until rate_since_
  Duration stepped_;          // initial offset and steps
  Duration suspended_;
  std::optional<ntp::LeapSecond> leap_;
};

}  // namespace timepool::sim
