// What several comparisons of a hardware clock with the system clock say about the two.
#pragma once

#include <cstddef>
#include <span>

#include "refclock/driver.h"

namespace timepool::refclock {

// The system clock was read before and after the device's clock.
struct PhcComparison {
  UnixTime before;
  UnixTime device;
  UnixTime after;
};

// The mean of the comparisons that were about as quick as the quickest: the others were held up on
// one side of the device's reading. kBadField when the system clock went back in all of them,
// kTooLarge when the clocks are too far apart.
Look compare_clocks(std::span<const PhcComparison> comparisons);

}  // namespace timepool::refclock
