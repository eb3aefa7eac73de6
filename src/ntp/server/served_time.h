// ServedTime: from what the system clock reads to what is served. The two differ while a leap
// second is smeared (RFC 8633 3.7.1): by a line with at most one knee, made anew by the main loop
// often enough that it stays within 100 ns of the smear (ntp/leap_smear.h).
//
// At the leap itself the kernel steps the system clock, so that a second is read twice, and what is
// served must go on evenly. The line is therefore one over the system clock as it would read had it
// not been stepped. Whether it has been is told by the monotonic clock, which never steps.
#pragma once

#include "base/duration.h"
#include "base/time.h"

namespace timepool::ntp {

// A system clock's reading is in doubt this long before the leap may step it, and after.
inline constexpr Duration kStepWatch = Duration::seconds(900);

struct ServedShift {
  // By the system clock, had no leap second stepped it.
  UnixTime from;
  Duration offset;  // what is served less that, at `from`
  double rate = 0;  // how it changes from then on, in seconds a second
  UnixTime knee;    // from here on
  double rate_after_knee = 0;
  // A leap second steps the system clock about now by this much; zero: none does.
  Duration step;
  UnixTime step_at;  // where it reads this
  Duration wall;     // the system clock less the monotonic one, before it is stepped

  bool none() const {
    return offset == Duration() && rate == 0 && rate_after_knee == 0 && step == Duration();
  }
  bool may_step() const { return step != Duration(); }
  // Both in the time of `from`.
  Duration at(UnixTime when) const;
  bool operator==(const ServedShift&) const = default;
};

// The two clocks' difference, which a step changes and nothing else.
inline Duration wall_of(UnixTime system, MonoTime mono) {
  return Duration::nanoseconds(system.ns()) - Duration::nanoseconds(mono.ns());
}

// One worker's view of a shift: whether the system clock has been stepped already.
class ServedTime {
 public:
  // The clocks at the start of a batch of datagrams; only where shift.may_step().
  void look(const ServedShift& shift, UnixTime system, MonoTime mono);

  // What is to be served for a datagram's time of arrival: it may be from before the step. Right
  // for what waited for less than a second.
  UnixTime received(const ServedShift& shift, UnixTime system) const {
    return shift.none() ? system : served(shift, system, arrived_after_step(shift, system));
  }
  // For a reading of the clock within half a second of look(), on either side of it.
  UnixTime sent(const ServedShift& shift, UnixTime system) const {
    return shift.none() ? system : served(shift, system, reads_after_step(shift, system));
  }

 private:
  static UnixTime served(const ServedShift& shift, UnixTime system, bool stepped);
  bool arrived_after_step(const ServedShift& shift, UnixTime system) const;
  bool reads_after_step(const ServedShift& shift, UnixTime system) const;

  UnixTime seen_;
  bool stepped_ = false;
};

}  // namespace timepool::ntp
