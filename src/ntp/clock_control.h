// ClockControl: what can be done to a clock, as an effect that the Timekeeper is given. ntpd has
// one for the system's clock, sim/ one for a simulated clock; ObservedClock refuses everything.
#pragma once

#include "base/error.h"
#include "base/result.h"
#include "ntp/local_time.h"
#include "wire/ntp/header.h"

namespace timepool::ntp {

// What else the kernel is told about its clock.
struct ClockStatus {
  bool synchronised = false;  // lets the kernel copy the time to the battery-backed clock
  // kInsert, kDelete: the kernel does it at the end of the UTC day. Others: it does nothing.
  wire::ntp::Leap leap = wire::ntp::Leap::kNone;
  Duration estimated_error;
  Duration maximum_error;
  bool operator==(const ClockStatus&) const = default;
};

// What the kernel has.
struct ClockState {
  double rate = 0;  // as LocalClock's
  // Something else moves the clock besides: a phase-locked loop, a slew by adjtime().
  bool moved_by_others = false;
  bool operator==(const ClockState&) const = default;
};

struct RateChange {
  ClockReading at;  // from then on
  double rate = 0;  // what was really set: the wish in whole units of the kernel, within its limits
};

class ClockControl {
 public:
  virtual ~ClockControl() = default;
  // False: the clock is only observed, and none of the others is called.
  virtual bool steers() const = 0;
  virtual Result<RateChange> set_rate(double rate) = 0;
  // Adds to the system clock; the clocks right after.
  virtual Result<ClockReading> step(Duration by) = 0;
  virtual Result<void> set_status(const ClockStatus& status) = 0;
  // TAI less UTC in seconds.
  virtual Result<void> set_tai_offset(int seconds) = 0;
  virtual Result<ClockState> state() = 0;
};

class ObservedClock final : public ClockControl {
 public:
  bool steers() const override { return false; }
  Result<RateChange> set_rate(double) override { return refusal(); }
  Result<ClockReading> step(Duration) override { return refusal(); }
  Result<void> set_status(const ClockStatus&) override { return refusal(); }
  Result<void> set_tai_offset(int) override { return refusal(); }
  Result<ClockState> state() override { return refusal(); }

 private:
  static Failure<Error> refusal() {
    return fail(Error{ErrorCode::kDenied, "steer the clock", "it is only observed"});
  }
};

}  // namespace timepool::ntp
