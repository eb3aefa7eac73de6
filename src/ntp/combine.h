// Combining: from the sources that agree, what time it is and how fast our clock runs. Each counts
// by how sure it is, its path included: half of a long way round may be error that no averaging
// shows.
#pragma once

#include <optional>
#include <span>

#include "ntp/clock_estimate.h"
#include "ntp/estimator.h"

namespace timepool::ntp {

// Empty when there are none. `bound` and `sources` of the result are the caller's to set.
std::optional<ClockEstimate> combine(std::span<const Estimate> estimates, LocalTime now);

}  // namespace timepool::ntp
