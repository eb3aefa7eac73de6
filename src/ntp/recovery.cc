#include "ntp/recovery.h"

#include <algorithm>
#include <array>
#include <string_view>

namespace timepool::ntp {
namespace {

constexpr std::array<int, kRecoveryProbes> kProbes = {16, 24, 32};

// Nobody who could tell has been heard since: it may be our own network.
bool may_be_network(const RecoveryView& view) {
  return view.outage || (view.misses > 0 && view.silence == Silence::kWait);
}

// A look-up shows that the network is there as well as an answer does. A literal has none.
bool proven_network(const RecoveryView& view) {
  return !may_be_network(view) || view.looked_up || view.literal;
}

RecoveryStep step_without_cookies(const RecoveryView& view) {
  if (!proven_network(view)) return RecoveryStep::kLookUp;
  return view.has_other && view.other_first && view.misses > kRecoveryProbes
             ? RecoveryStep::kEstablishElsewhere
             : RecoveryStep::kEstablishHere;
}

// The probes were in vain, while others answer or there are no others.
RecoveryStep step_for_dead(const RecoveryView& view) {
  const bool known = view.literal || view.looked_up;
  // Without others only a look-up tells that it is not our own network.
  const bool may_guess = view.silence == Silence::kDead && view.look_up_failed;
  if (!known && !may_guess) return RecoveryStep::kLookUp;
  if (view.has_other && (view.other_first || view.fresh_keys)) {
    return RecoveryStep::kEstablishElsewhere;
  }
  return view.fresh_keys ? RecoveryStep::kNone : RecoveryStep::kEstablishHere;
}

}  // namespace

Duration recovery_probe_after(std::uint32_t misses) {
  const std::size_t index = std::clamp<std::uint32_t>(misses, 1, kRecoveryProbes) - 1;
  return Duration::seconds(kProbes[index]);
}

std::string_view name_of(RecoveryStep step) {
  constexpr std::string_view kNames[] = {"none",    "probe",          "spaced",
                                         "look_up", "establish_here", "establish_elsewhere"};
  return kNames[static_cast<std::size_t>(step)];
}

RecoveryStep next_step(const RecoveryView& view) {
  if (view.cookies == 0) return step_without_cookies(view);
  if (view.naks >= kNaksToRenew) return RecoveryStep::kEstablishHere;
  if (view.naks > 0) return RecoveryStep::kSpaced;
  if (view.unlisted && !may_be_network(view)) return RecoveryStep::kEstablishElsewhere;
  if (view.misses == 0) {
    return view.old_keys ? RecoveryStep::kEstablishHere : RecoveryStep::kNone;
  }
  if (may_be_network(view)) {
    // The last cookie is kept until a look-up tells that the network is back.
    const bool last = view.cookies == 1 && !view.literal && !view.looked_up;
    return last ? RecoveryStep::kLookUp : RecoveryStep::kNone;
  }
  return view.misses <= kRecoveryProbes ? RecoveryStep::kProbe : step_for_dead(view);
}

}  // namespace timepool::ntp
