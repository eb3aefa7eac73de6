// Which monitors check which servers. Every active monitor checks every server: right for a few
// monitors; a selection by diversity replaces the one function and nothing around it.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "pool/scoring.h"

namespace timepool::pool {

struct Assignment {
  std::int64_t server = 0;
  std::int64_t monitor = 0;
  MonitorRole role = MonitorRole::kActive;

  auto operator<=>(const Assignment&) const = default;
};

// The pairs to be checked, ordered by server, then monitor.
std::vector<Assignment> assign(std::span<const std::int64_t> servers,
                               std::span<const std::int64_t> active_monitors);

}  // namespace timepool::pool
