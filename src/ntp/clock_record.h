// ClockRecord: how the estimates of our clock turned out from one to the next, for
// `timepool ntp tracking`: chrony's last offset, RMS offset and update interval.
#pragma once

#include <cstdint>
#include <optional>

#include "ntp/clock_estimate.h"

namespace timepool::ntp {

class ClockRecord {
 public:
  // A new estimate, and the offset of the system clock by it, before anything is done about it.
  void update(const ClockEstimate& estimate, Duration offset);

  std::uint64_t updates() const { return updates_; }
  // The last one; empty before the first.
  const std::optional<ClockEstimate>& estimate() const { return estimate_; }
  // True time less the system clock's, at the last update.
  Duration last_offset() const { return last_offset_; }
  // Of these offsets, over some ten updates.
  Duration rms_offset() const;
  // Between the last two updates; zero before the second.
  Duration interval() const { return interval_; }

 private:
  std::uint64_t updates_ = 0;
  std::optional<ClockEstimate> estimate_;
  Duration last_offset_;
  double mean_square_ = 0;
  Duration interval_;
};

}  // namespace timepool::ntp
