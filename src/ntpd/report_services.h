// What the reports and metrics tell of pools whose servers are named by SRV records.
#pragma once

#include <boost/json/array.hpp>

#include "ntpd/report.h"

namespace timepool::ntpd {

// [{"pool", "service", "answered", "verdict", "trust", "dates_checked", "why", "age_s", "refused":
//   [{"target", "fault"}, ...], "targets": [{"target", "port", "priority", "weight", "state",
//   "listed", "dropped" (why, "none" when it never was), "dropped_s"}, ...]}, ...]
boost::json::array services_array(const Halves& halves, MonoTime now);
void write_services_metrics(const TimeClient& client, MonoTime now, net::MetricSink& sink);

}  // namespace timepool::ntpd
