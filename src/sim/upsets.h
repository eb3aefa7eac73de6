// ClientUpsets: what befalls a simulated client besides its servers: its network goes and comes, it
// is suspended, somebody else steps its clock, its oscillator jumps.
#pragma once

#include <vector>

#include "sim/network.h"

namespace timepool::sim {

// The program ends and starts anew.
struct Restart {
  Duration at;
  Duration pause;
  // It crashed: what was saved so long before is all there is, and the clock keeps the rate of the
  // slew that ran. Zero: it ended in order.
  Duration saved_before;
};

struct ClientUpsets {
  std::vector<Restart> restarts;
  bool save_samples = true;        // the sources' samples survive them
  std::vector<Window> offline;     // no interface: sending fails, nothing arrives
  std::vector<Window> offline_v6;  // the same for IPv6 alone
  bool network_events = true;      // the system tells when interfaces come and go
  std::vector<Window> asleep;      // suspended
  bool mono_sleeps = true;         // the monotonic clock stands still meanwhile, as Linux's
  // After a suspend the system clock is set from one that is off by up to this, either way.
  Duration wake_error;
  // Somebody steps the clock by up to `step`, either way, that often in the mean; zero: never.
  Duration step_every;
  Duration step;
  // The frequency becomes any within this of the oscillator's own, that often in the mean.
  Duration frequency_jump_every;
  double frequency_jump_ppm = 0;
};

}  // namespace timepool::sim
