// What the control socket tell about the drivers of the reference clocks; their
// measurements are among those of the sources.
#pragma once

#include <boost/json/object.hpp>

#include "ntpd/report.h"

namespace timepool::ntpd {

// {"refclocks": [{"name", "lock", "reference_id", "polls", "last_reason", "failure" (why the driver
//   is not open, or null), "reasons": {reason: count, ...}}, ...]}
boost::json::object refclocks_report(const Halves& halves);

}  // namespace timepool::ntpd
