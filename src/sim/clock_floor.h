// ClockFloor: watches that a client never moves its clock to before the time that it may not go
// below (B27): the build date, and the last good time. Where others put the clock is not its fault.
#pragma once

#include <cstdint>
#include <optional>

#include "base/time.h"

namespace timepool::sim {

class ClockFloor {
 public:
  explicit ClockFloor(UnixTime floor) : floor_(floor) {}

  // The clock reads `system` now; `upset` changes whenever others have moved it. False when the
  // client has moved it from the floor or above to below, or from below still farther away.
  [[nodiscard]] bool look(UnixTime system, Duration upset);

 private:
  UnixTime floor_;
  std::optional<UnixTime> last_;
  Duration upset_;
};

}  // namespace timepool::sim
