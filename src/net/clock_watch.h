// ClockWatch: notices that the system clock was set back. What libunbound remembers ends by that
// clock: an answer of a minute, and a proof that failed because the clock was wrong, would live on
// for as long as the clock was set back. For one thread.
#pragma once

#include <optional>

#include "base/time.h"

namespace timepool::net {

class ClockWatch {
 public:
  // Less does no harm: no answer of a second or two is remembered for long.
  static constexpr Duration kTolerated = Duration::seconds(2);

  // The clocks now, both. Whether the system clock was set back since the first call, or the last
  // reset(): true until then. One that was set forward only ends what is remembered.
  bool set_back(UnixTime system, MonoTime mono) {
    const Duration ahead = (system - UnixTime()) - (mono - MonoTime());
    if (!latest_ || ahead > *latest_) latest_ = ahead;
    return *latest_ - ahead > kTolerated;
  }
  // All that was remembered is forgotten.
  void reset() { latest_.reset(); }

 private:
  std::optional<Duration> latest_;  // the furthest that the system clock was ahead of the other
};

}  // namespace timepool::net
