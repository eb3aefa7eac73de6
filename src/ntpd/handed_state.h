// What a daemon that is taken over from tells its successor about the time that it serves, as JSON.
#pragma once

#include <boost/json/object.hpp>
#include <optional>

#include "ntp/server/server_state.h"

namespace timepool::ntpd {

// {"leap", "stratum", "reference_id", "root_delay_ns", "root_dispersion_ns", "dispersion_ppb",
//  "reference_time_ns", "made_ns"}, all whole numbers, the time since 1970.
boost::json::object handed_state(const ntp::ServerState& state);
// Nothing when something is missing, out of range, or says that the time is not known.
std::optional<ntp::ServerState> parse_handed_state(const boost::json::object& object);

}  // namespace timepool::ntpd
