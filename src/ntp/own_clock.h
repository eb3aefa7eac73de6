// OwnClock: what this machine says of its own time in packets that it does not send as an answer:
// to peers and as broadcasts. Whoever keeps the clock fills it in before what sends is called.
#pragma once

#include "base/duration.h"
#include "ntp/four_times.h"
#include "ntp/server/server_state.h"

namespace timepool::ntp {

struct OwnClock {
  ServerState state;    // unsynchronised: that is said
  Duration correction;  // the system clock less raw time, now
  ClockPace pace;
};

}  // namespace timepool::ntp
