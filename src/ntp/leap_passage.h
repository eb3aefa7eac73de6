// LeapPassage: takes a client over a leap second: when it is due by our clock, who has to do it,
// and what becomes of samples around it.
//
// At the leap true time jumps against raw time, and so do all sources. The kernel may step the
// system clock by the same second at the same moment; that is no step by somebody. Sources that
// apply the leap a little before or after us are on the other side of it for that time; their
// samples are moved to ours.
#pragma once

#include <optional>

#include "ntp/leap.h"
#include "ntp/leap_nearness.h"

namespace timepool::ntp {

// A clock that is off by more than this is not led over the leap by a step: it is being slewed to
// the true time anyway, and the kernel would do it at the wrong moment.
inline constexpr Duration kLeapClockNear = Duration::milliseconds(500);
// The kernel does it with the tick after the moment; what has not been done by now will not be.
inline constexpr Duration kLeapKernelLate = Duration::seconds(2);

class LeapPassage {
 public:
  enum class Verdict : std::uint8_t {
    kNothing,  // no leap is due
    kWait,     // it is due, and the kernel is to do it
    kDone,     // somebody has stepped the clock by just the second: the kernel, or who steers it
    kStep,     // step the clock
    kLeave,    // true time jumps; the clock stays as it is
  };

  // `armed` is LeapKeeper's; `remaining` the true time less the system clock's.
  void plan(const std::optional<LeapSecond>& armed, Duration remaining);
  // What the system clock reads when the leap is due; empty: none is planned.
  std::optional<UnixTime> due() const;
  // Whether the kernel is to do it; only while the clock is right.
  bool for_kernel(LeapMode mode) const { return planned_ && near_ && mode == LeapMode::kKernel; }
  const std::optional<LeapSecond>& planned() const { return planned_; }

  // `system`: what the clock reads if nobody has stepped it; `stepped`: by how much somebody has.
  Verdict judge(UnixTime system, Duration stepped, LeapMode mode, bool steers) const;
  // The verdict was carried out: true time has jumped.
  void passed();

  // For a moment of true time, on our side of the leap.
  LeapNearness nearness(UnixTime utc) const;

 private:
  std::optional<LeapSecond> planned_;
  std::optional<LeapSecond> passed_;
  Duration remaining_;
  bool near_ = false;
};

}  // namespace timepool::ntp
