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
//  "check": {"running", "done", "fault" or null,
//    "seen": [{"name", "challenge", "at", "seen", "text"}, ...]}}
boost::json::object acme_report(const AcmeService& acme);
// Begins a check, and gives the same. Errors: kUnavailable while one runs, or nothing does.
Result<boost::json::object> begin_acme_check(AcmeService& acme);

// {"accounts": [{"directory", "account" or null, "key_file", "thumbprint" or null (RFC 7638),
//    "external_key_id" or null}, ...], "contacts": ["mailto:...", ...],
//  "changes": {"running", "done" (since the start), "change": "new-key" | "deactivate" or null: the
//    last one, "directory" or null, "fault" or null}}
boost::json::object acme_account_report(const AcmeService& acme);
// Begins a change of the account at `request`'s "directory", or at the only authority that has one,
// and gives the same. Errors: kInvalid for what is no authority of the settings, or none where
// there are several; those of AcmeWorker::change_account().
Result<boost::json::object> begin_account_change(AcmeService& acme,
                                                 AcmeWorker::AccountChange change,
                                                 const boost::json::object& request);
// "timepool_ntpd_acme_..."
void write_acme_metrics(const AcmeService& acme, UnixTime now, net::MetricSink& sink);

}  // namespace timepool::ntpd
