// The order in which the targets of SRV records are tried (RFC 2782, "Usage rules").
#pragma once

#include <span>
#include <vector>

#include "ntp/random_stream.h"
#include "ntp/service.h"

namespace timepool::ntp {

// Indices of `targets`, each once: by priority, the lowest number first; within one priority drawn
// by weight, in proportion to it. Those of weight 0 come before others with a chance of one in the
// sum of weights and one.
std::vector<std::size_t> service_order(std::span<const ServiceTarget> targets,
                                       RandomStream& random);

}  // namespace timepool::ntp
