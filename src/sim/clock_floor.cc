#include "sim/clock_floor.h"

#include <algorithm>
#include <utility>

namespace timepool::sim {

bool ClockFloor::look(UnixTime system, Duration upset) {
  const std::optional<UnixTime> last = std::exchange(last_, system);
  if (std::exchange(upset_, upset) != upset || !last) return true;
  return system >= std::min(*last, floor_);
}

}  // namespace timepool::sim
