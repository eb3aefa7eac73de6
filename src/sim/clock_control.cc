#include "sim/clock_control.h"

#include <algorithm>
#include <cmath>

namespace timepool::sim {
namespace {

constexpr double kMaxRate = 0.1;
constexpr double kUnitsPerOne = 65536e6;

}  // namespace

Result<ntp::RateChange> SimClockControl::set_rate(double rate) {
  const double wanted = std::clamp(rate, -kMaxRate, kMaxRate);
  const double set = std::round(wanted * kUnitsPerOne) / kUnitsPerOne;
  clock_.set_rate(set, world_.now());
  return ntp::RateChange{clock_.read(world_.now()), set};
}

Result<ntp::ClockReading> SimClockControl::step(Duration by) {
  ++steps_;
  clock_.step(by);
  return clock_.read(world_.now());
}

Result<void> SimClockControl::set_status(const ntp::ClockStatus& status) {
  status_ = status;
  using wire::ntp::Leap;
  const int seconds = status.leap == Leap::kInsert ? 1 : status.leap == Leap::kDelete ? -1 : 0;
  clock_.arm_leap(seconds, world_.now());
  return {};
}

Result<void> SimClockControl::set_tai_offset(int seconds) {
  tai_offset_ = seconds;
  return {};
}

Result<ntp::ClockState> SimClockControl::state() {
  return ntp::ClockState{clock_.rate(), false};
}

}  // namespace timepool::sim
