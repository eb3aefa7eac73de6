#include "ntp/leap_fold.h"

namespace timepool::ntp {

Duration leap_fold(Duration surprise, Duration after, Duration step) {
  if (after.abs() > kLeapFoldTime) return {};
  // Before the leap a server may be ahead of us in applying it, from the leap on behind.
  const Duration jump = after < Duration() ? step : -step;
  return (surprise - jump).abs() <= kLeapFoldWidth ? -jump : Duration();
}

}  // namespace timepool::ntp
