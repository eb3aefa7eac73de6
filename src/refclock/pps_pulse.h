// PpsPulse: what the kernel's record of the last two edges says about a pulse (RFC 2783 3.2).
#pragma once

#include <linux/pps.h>

#include <cstdint>

#include "refclock/driver.h"

namespace timepool::refclock {

// Judges the records of a device one after the other; a pulse is taken once.
class PpsPulse {
 public:
  PpsPulse(PulseEdge edge, Duration min_width) : edge_(edge), min_width_(min_width) {}
  Look look(const pps_kinfo& info);

 private:
  PulseEdge edge_;
  Duration min_width_;
  bool seen_ = false;  // the first record may be of any age: it only tells where we are
  std::uint32_t sequence_ = 0;
};

}  // namespace timepool::refclock
