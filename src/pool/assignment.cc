#include "pool/assignment.h"

#include <algorithm>

namespace timepool::pool {

std::vector<Assignment> assign(std::span<const std::int64_t> servers,
                               std::span<const std::int64_t> active_monitors) {
  std::vector<Assignment> out;
  out.reserve(servers.size() * active_monitors.size());
  for (const std::int64_t server : servers) {
    for (const std::int64_t monitor : active_monitors) {
      out.push_back({server, monitor, MonitorRole::kActive});
    }
  }
  std::sort(out.begin(), out.end());
  return out;
}

}  // namespace timepool::pool
