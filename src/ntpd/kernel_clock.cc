#include "ntpd/kernel_clock.h"

#include <memory>

#include "sys/clock.h"

namespace timepool::ntpd {

ntp::ClockReading read_clocks() {
  const sys::ClockSample sample = sys::sample_clocks();
  return {sample.mono, sample.unix_time, sample.suspended};
}

Result<std::unique_ptr<KernelClock>> KernelClock::open() {
  std::unique_ptr<KernelClock> out(new KernelClock());
  // What it has already: shows whether we may, and changes nothing.
  const sys::ClockRate now = TRY(out->clock_.read());
  TRY(out->clock_.set_status({}));
  TRY(out->clock_.set_rate(now.rate));
  return out;
}

Result<ntp::RateChange> KernelClock::set_rate(double rate) {
  // The change lies between the two readings; at the greatest rate a microsecond of doubt is 0.1
  // us.
  const ntp::ClockReading before = read_clocks();
  const sys::ClockRate set = TRY(clock_.set_rate(rate));
  ntp::ClockReading at = read_clocks();
  const Duration half = (at.mono - before.mono) / 2;
  at.mono = at.mono - half;
  at.system = at.system - half;
  return ntp::RateChange{at, set.rate};
}

Result<ntp::ClockReading> KernelClock::step(Duration by) {
  TRY(clock_.step(by));
  return read_clocks();
}

Result<void> KernelClock::set_status(const ntp::ClockStatus& status) {
  return clock_.set_status({status.synchronised, status.leap == wire::ntp::Leap::kInsert,
                            status.leap == wire::ntp::Leap::kDelete, status.estimated_error,
                            status.maximum_error});
}

Result<ntp::ClockState> KernelClock::state() {
  const sys::ClockRate state = TRY(clock_.read());
  return ntp::ClockState{state.rate, state.moved_by_others};
}

}  // namespace timepool::ntpd
