#include "ntp/local_reference.h"

namespace timepool::ntp {

Duration root_distance_at(const ServerState& state, UnixTime now) {
  return state.root_delay / 2 + root_dispersion_at(state, now);
}

bool LocalReference::takes_over(const std::optional<ServerState>& kept, UnixTime system,
                                MonoTime mono) {
  if (kept) {
    alone_since_.reset();
  } else if (!alone_since_) {
    alone_since_ = mono;
  }
  const Duration distance = kept ? root_distance_at(*kept, system) : Duration::max();
  if (kept && distance < rules_.activate) was_good_ = true;
  if (rules_.activate != Duration() && !was_good_) return false;
  const bool waited = kept ? system - kept->reference_time >= rules_.wait_synced
                           : mono - *alone_since_ >= rules_.wait_unsynced;
  return waited && distance > rules_.distance;
}

ServerState LocalReference::state(UnixTime system) const {
  ServerState out;
  out.leap = wire::ntp::Leap::kNone;
  out.stratum = rules_.stratum;
  out.reference_id = rules_.reference_id;
  out.root_dispersion = rules_.root_dispersion;
  // It is its own reference, which it looks at all the time.
  out.reference_time = system;
  out.made = system;
  return out;
}

}  // namespace timepool::ntp
