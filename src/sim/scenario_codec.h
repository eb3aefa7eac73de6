// The kinds of values that tables of a scenario share.
#pragma once

#include "config/codec.h"
#include "sim/network.h"

namespace timepool::sim {

// Up to a week.
config::Codec<Duration> span();
// The same either way.
config::Codec<Duration> signed_span();
// ["10m", "20m"]
config::Codec<Window> window();

}  // namespace timepool::sim
