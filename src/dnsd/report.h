// What timepool-dnsd tells of itself: the answers of its control commands and its metrics.
#pragma once

#include <boost/json/object.hpp>
#include <string>

#include "base/result.h"
#include "dnsd/account_reporter.h"
#include "dnsd/frontend.h"
#include "dnsd/signing_keeper.h"
#include "dnsd/zone_keeper.h"
#include "net/metrics.h"
#include "snapshot/snapshot_puller.h"

namespace timepool::dnsd {

// "zones": every zone served, its source, and what is wrong now.
boost::json::object zones_report(const KeeperReport& report);
// What reports are made of. `puller` and `reporter` may be null.
struct Parts {
  const Frontend& frontend;
  ZoneKeeper& keeper;
  const QueryLog& query_log;
  const snapshot::SnapshotPuller* puller = nullptr;
  const AccountReporter* reporter = nullptr;
  const SigningKeeper* signing = nullptr;
};
// "stats": queries by transport, what became of them, type, rcode, country and zone, and the
// servers that were handed out most (report_queries.cc).
boost::json::object stats_report(const Parts& parts);
// What the puller of snapshots does.
boost::json::object snapshot_report(const snapshot::PullerStatus& status);
// What became of the counts for the manager.
boost::json::object reporter_report(const ReporterStatus& status);
// From any thread.
void write_metrics(const Parts& parts, net::MetricSink& sink);
// The part of it that counts queries.
void write_query_metrics(const Parts& parts, net::MetricSink& sink);

}  // namespace timepool::dnsd
