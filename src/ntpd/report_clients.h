// Who asks the server most. A file of its own beside report.h, as what a client is.
#pragma once

#include <boost/json/object.hpp>

#include "ntpd/report.h"

namespace timepool::ntpd {

// {"remembered", "places", "clients": [{"address", "requests", "dropped", "version", "mode",
//   "interval_s", "age_s"}, ...], "events": {...}}, the most active first; `request` may say
//   "count",
// 1 to TimeServer::kMaxClientsListed. Errors: kInvalid; kUnavailable without a server.
Result<boost::json::object> clients_report(const Halves& halves, const boost::json::object& request,
                                           MonoTime now);

}  // namespace timepool::ntpd
