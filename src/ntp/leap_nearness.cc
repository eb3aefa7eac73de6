#include "ntp/leap_nearness.h"

namespace timepool::ntp {

Duration leap_fold(Duration surprise, const LeapNearness& leap) {
  if (!leap.near) return {};
  // Before the leap a server may be ahead of us in applying it, from the leap on behind.
  const Duration jump = leap.after < Duration() ? leap.step : -leap.step;
  return (surprise - jump).abs() <= kLeapFoldWidth ? -jump : Duration();
}

}  // namespace timepool::ntp
