// What timepool-dnsd tells of itself: the answers of its control commands and its metrics.
#pragma once

#include <boost/json/object.hpp>
#include <string>

#include "base/result.h"
#include "dnsd/frontend.h"
#include "dnsd/zone_keeper.h"
#include "net/metrics.h"
#include "snapshot/snapshot_puller.h"

namespace timepool::dnsd {

// "zones": every zone served, its source, and what is wrong now.
boost::json::object zones_report(const KeeperReport& report);
// "stats": one reason for each query, by transport; queries by type.
boost::json::object stats_report(const Frontend& frontend);
// What the puller of snapshots does.
boost::json::object snapshot_report(const snapshot::PullerStatus& status);
// "lookup": {"name", "type"?, "address"}: what an address is answered from. Errors: kInvalid.
Result<boost::json::object> lookup_report(const dns::CompiledZones& zones,
                                          const boost::json::object& request);
// From any thread. `puller` may be null.
void write_metrics(const Frontend& frontend, const ZoneKeeper& keeper,
                   const snapshot::SnapshotPuller* puller, net::MetricSink& sink);

}  // namespace timepool::dnsd
