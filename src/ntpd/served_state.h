// ServedState: what the server says of its time, made of the settings, of what the client half
// makes of the clock, and of the leap second that is near. Main thread only.
#pragma once

#include <functional>
#include <optional>

#include "config/ntpd_server.h"
#include "ntp/leap.h"
#include "ntp/leap_smear.h"
#include "ntp/local_reference.h"
#include "ntp/server/server_state.h"

namespace timepool::ntpd {

// What the rest of the daemon knows.
struct ClockView {
  // What the client half makes of the clock; nothing while it does not keep it.
  std::optional<ntp::ServerState> kept;
  ntp::LeapBacklog backlog;
  // Leap seconds to announce and to smear; null: nothing is known of any.
  const ntp::LeapKeeper* leap = nullptr;
};
using ViewClock = std::function<ClockView()>;

class ServedState {
 public:
  ServedState(const config::NtpServerConfig& config, int precision);

  // [server.local], [server.smear] and the settings beside them are these from now on.
  void set_config(const config::NtpServerConfig& config);
  ntp::ServerState make(const ntp::ClockReading& now, const ClockView& view);
  // The time served less UTC for a leap second that is smeared, as of make(); nothing while none
  // is.
  std::optional<Duration> smeared() const { return smear_ ? smear_->departure() : std::nullopt; }
  // How long what make() gave is exact enough.
  Duration good_for(UnixTime now) const;

 private:
  ntp::ServerState choose(const ntp::ClockReading& now, const ClockView& view);
  void smear(const ntp::ClockReading& now, const ClockView& view, ntp::ServerState& state);
  void hide(ntp::ServerState& state) const;

  config::NtpServerConfig config_;
  std::int8_t precision_;
  std::optional<ntp::LocalReference> local_;
  std::optional<ntp::LeapSmear> smear_;
};

// The stratum of [server.local] if it is an orphan's, else 16.
std::uint8_t orphan_stratum(const std::optional<config::NtpServerConfig>& server);

}  // namespace timepool::ntpd
