// SystemClock: the kernel's clock, changed by clock_adjtime(2). Only libc's call is used, so that a
// simulator can stand in. Needs CAP_SYS_TIME for everything but read().
//
// A rate is the sum of two things that the kernel has: the tick, in whole microseconds of its
// nominal 10 ms (100 ppm each, +-10 %), and the frequency, in 2^-16 ppm (+-500 ppm).
#pragma once

#include "base/result.h"
#include "base/time.h"

namespace timepool::sys {

struct ClockRate {
  double rate = 0;  // seconds by which the clock gains in one second of the unsteered clock
  // The kernel's own loop or adjtime(3) moves the clock besides.
  bool moved_by_others = false;
};

struct KernelStatus {
  bool synchronised = false;
  bool insert_leap = false;
  bool delete_leap = false;
  Duration estimated_error;
  Duration maximum_error;
};

class SystemClock {
 public:
  // The rate in force. Errors: kSystem.
  Result<ClockRate> read() const;
  // Sets the rate as nearly as the kernel can; what it has then. Ends what others had the kernel
  // do: its phase- and frequency-locked loop, a slew of adjtime(3).
  Result<ClockRate> set_rate(double rate);
  Result<void> step(Duration by);
  Result<void> set_status(const KernelStatus& status);
  Result<void> set_tai_offset(int seconds);
};

}  // namespace timepool::sys
