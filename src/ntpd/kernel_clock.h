// KernelClock: the system's clock as the Timekeeper steers it. Main thread only.
#pragma once

#include <memory>

#include "ntp/clock_control.h"
#include "sys/system_clock.h"

namespace timepool::ntpd {

// Both clocks now, as the cores want them.
ntp::ClockReading read_clocks();

class KernelClock final : public ntp::ClockControl {
 public:
  // Reads the clock's state and takes the kernel's own loops out of it. Errors: not permitted.
  static Result<std::unique_ptr<KernelClock>> open();

  bool steers() const override { return true; }
  Result<ntp::RateChange> set_rate(double rate) override;
  Result<ntp::ClockReading> step(Duration by) override;
  Result<void> set_status(const ntp::ClockStatus& status) override;
  Result<void> set_tai_offset(int seconds) override { return clock_.set_tai_offset(seconds); }
  Result<ntp::ClockState> state() override;

 private:
  KernelClock() = default;
  sys::SystemClock clock_;
};

}  // namespace timepool::ntpd
