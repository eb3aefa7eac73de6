// LocalReference: when a server may serve its own clock as a reference of last resort, so that an
// island stays together when nobody with the true time can be heard (chrony's `local`).
//
// It takes over when the clock is kept by nobody for long enough, or when the root distance has
// grown past a limit since its last update; and only once the clock was known to be good, if that
// is asked for. With `orphan` several servers of an island do so together: see ntp/orphan.h.
#pragma once

#include <cstdint>
#include <optional>

#include "base/duration.h"
#include "base/time.h"
#include "ntp/server/server_state.h"

namespace timepool::ntp {

struct LocalRules {
  std::uint8_t stratum = 10;
  wire::ntp::ReferenceId reference_id;
  Duration root_dispersion;                  // that is claimed
  Duration distance = Duration::seconds(1);  // the root distance from which it takes over
  Duration activate;                         // not before it was below this once; zero: at once
  Duration wait_synced;                      // after the clock's last update
  Duration wait_unsynced;                    // while nobody keeps it
  bool operator==(const LocalRules&) const = default;
};

// RFC 5905 11.2.3: lambda, half the root delay and the root dispersion.
Duration root_distance_at(const ServerState& state, UnixTime now);

class LocalReference {
 public:
  explicit LocalReference(const LocalRules& rules) : rules_(rules) {}

  const LocalRules& rules() const { return rules_; }
  // Other rules; what was known of the clock stays known.
  void set_rules(const LocalRules& rules) { rules_ = rules; }
  // `kept`: what the client half makes of the clock; nothing while nobody keeps it.
  bool takes_over(const std::optional<ServerState>& kept, UnixTime system, MonoTime mono);
  // What it says of the clock then.
  ServerState state(UnixTime system) const;

 private:
  LocalRules rules_;
  bool was_good_ = false;
  std::optional<MonoTime> alone_since_;
};

}  // namespace timepool::ntp
