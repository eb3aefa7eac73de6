// SimClockControl: steers the clock of a simulated node as Linux does: rates in units of 2^-16 ppm
// up to 10 %.
#pragma once

#include "ntp/clock_control.h"
#include "sim/clock.h"
#include "sim/world.h"

namespace timepool::sim {

class SimClockControl final : public ntp::ClockControl {
 public:
  SimClockControl(World& world, Clock& clock, bool steers)
      : world_(world), clock_(clock), steers_(steers) {}

  bool steers() const override { return steers_; }
  Result<ntp::RateChange> set_rate(double rate) override;
  Result<ntp::ClockReading> step(Duration by) override;
  Result<void> set_status(const ntp::ClockStatus& status) override;
  Result<void> set_tai_offset(int seconds) override;
  Result<ntp::ClockState> state() override;

  const ntp::ClockStatus& status() const { return status_; }
  int tai_offset() const { return tai_offset_; }
  std::uint64_t steps() const { return steps_; }

 private:
  World& world_;
  Clock& clock_;
  bool steers_;
  ntp::ClockStatus status_;
  int tai_offset_ = 0;
  std::uint64_t steps_ = 0;
};

}  // namespace timepool::sim
