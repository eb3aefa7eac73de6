// LocalClock: the model of our clock: from the rates that it was given and the steps that it took,
// what raw time belongs to a moment of the clocks, and back.
//
// A rate is how many seconds more than one the system clock (and the monotonic one) advances in a
// second of raw time. The last kSegments changes are remembered, so that a kernel timestamp from
// before the last one still maps right; what is older maps by the oldest.
#pragma once

#include "base/ring_buffer.h"
#include "ntp/local_time.h"

namespace timepool::ntp {

// The system clock and the monotonic one are read one after the other: a difference of their
// advances below this is the time between, above it is a step.
inline constexpr Duration kStepThreshold = Duration::milliseconds(1);

class LocalClock {
 public:
  static constexpr std::size_t kSegments = 32;

  // Raw time begins as the system clock reads; `rate` is in force already.
  LocalClock(const ClockReading& start, double rate);

  LocalTime local(MonoTime mono) const { return {mono, raw_at(mono)}; }
  // The raw time at which the system clock read `system`. After a step back a reading may name two
  // moments: the later one is meant.
  UnixTime raw(UnixTime system) const;
  // What the system clock read at `raw`, or will read if its rate stays.
  UnixTime system(UnixTime raw) const;
  UnixTime system_at(MonoTime mono) const { return system(raw_at(mono)); }
  // When it will be `raw`, if the rate stays.
  MonoTime mono(UnixTime raw) const;
  // The system clock less raw time: what steering has done until then.
  Duration correction(UnixTime at) const { return system(at) - at; }
  double rate() const { return segments_.back().rate; }

  // From `at` on the clock has this rate. Moments must not go back.
  void rate_changed(MonoTime at, double rate);
  // At `at` the system clock was stepped.
  void stepped(MonoTime at, Duration by);
  // The machine slept until `at`: raw time went on while mono stood still.
  void slept(MonoTime at, Duration span);

  // How far the system clock is from where the model has it: a step that it was not told of.
  Duration unexplained(const ClockReading& reading) const;

 private:
  struct Segment {
    MonoTime mono;        // where it begins
    UnixTime raw;         // then
    double fraction = 0;  // of a nanosecond, added to raw: rounding must not gather
    double rate = 0;
    Duration wall;  // the system clock less mono
  };

  UnixTime raw_at(MonoTime mono) const;
  Segment next(MonoTime at) const;

  RingBuffer<Segment, kSegments> segments_;
};

}  // namespace timepool::ntp
