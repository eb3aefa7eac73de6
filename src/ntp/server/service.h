// Service: all that a server answers by. An immutable value that the main loop makes and publishes,
// and of which each worker takes the newest once a batch. What is large lies behind a pointer that
// the next value shares when it did not change; an empty pointer means that the feature is off.
#pragma once

#include "ntp/server/server_state.h"

namespace timepool::ntp {

struct Service {
  ServerState state;
};

}  // namespace timepool::ntp
