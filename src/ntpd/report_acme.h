// What the control socket and the metrics tell of [nts.acme].
#pragma once

#include <boost/json/object.hpp>

#include "base/result.h"
#include "base/time.h"
#include "ntpd/acme_service.h"

namespace timepool::net {
class MetricSink;
}

namespace timepool::ntpd {

// {"names", "store", "step": "wait" | "wait_for_clock" | "obtain" | "ask_for_renewal" | "stopped",
//  "cause", "at" (when it is due) or null, "busy" (what is done now) or null, "fault" or null,
//  "clock_plausible", "obtained", "failed" (since the start), "expiring",
//  "certificate": {"file", "authority", "names", "profile", "not_before", "not_after", "renew_at"}
//    or null,
//  "renewal": {"start", "end", "at", "explanation"} or null: the authority's wish,
//  "authorities": [{"directory", "account" or null, "failures", "next_try" or null,
//    "last_failure": {"at", "kind", "text"} or null}, ...],
//  "challenges": {"types", "how": "listen" | "webroot" | "hook", "http", "tls" (addresses),
//    "webroot", "hook", "connections", "handshakes", "refused", "answers": {...}},
//  "check": {"running", "done", "fault" or null, "seen": [{"name", "url", "seen", "text"}, ...]}}
boost::json::object acme_report(const AcmeService& acme);
// Begins a check, and gives the same. Errors: kUnavailable while one runs, or nothing does;
// kInvalid where no challenge of HTTP is served.
Result<boost::json::object> begin_acme_check(AcmeService& acme);
// "timepool_ntpd_acme_..."
void write_acme_metrics(const AcmeService& acme, UnixTime now, net::MetricSink& sink);

}  // namespace timepool::ntpd
