// One shot: measures, corrects the clock once or only tells by how much it is off, and ends. As
// chronyd -q and -Q. No socket is served.
#pragma once

#include "config/ntpd.h"
#include "sys/log.h"

namespace timepool::ntpd {

enum class OneShot : unsigned char {
  kCorrect,  // steps or slews the clock by [steering], a step is always allowed; waits for its end
  kPrint,    // prints the offset to standard output and touches nothing
};

// The exit status: 0 done; 1 no time was found within a minute, or the correction was refused.
int run_once(config::NtpdConfig config, OneShot what, sys::Logger& logger);

}  // namespace timepool::ntpd
