// What the reports and metrics tell of the server of key establishment.
#pragma once

#include <boost/json/value.hpp>

#include "ntpd/key_server.h"

namespace timepool::net {
class MetricSink;
}

namespace timepool::ntpd {

// {"listen": [...], "threads", "connections", "connections_limit", "certificates": [{"chain",
//   "names": [...], "key", "not_before", "not_after", "fault" or null}, ...]}, or null.
boost::json::value key_server_report(const KeyServer* server);
// {"outcomes": {...}, "accept_errors", "cookies_made", "duration": {"mean_ms", "buckets":
//   [{"below_ms", "connections"}, ...]}}, or null; the outcomes sum to the connections that ended.
boost::json::value key_counters_report(const KeyServer* server);
void write_key_metrics(const KeyServer& server, UnixTime now, net::MetricSink& sink);

}  // namespace timepool::ntpd
