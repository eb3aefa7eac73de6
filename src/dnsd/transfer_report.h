// What timepool-dnsd tells of transfers to other servers: a part of "status", and metrics.
#pragma once

#include <boost/json/object.hpp>

#include "dnsd/notifier.h"
#include "dnsd/transfer_keeper.h"
#include "net/metrics.h"

namespace timepool::dnsd {

boost::json::object transfer_report(const TransferReport& report);
boost::json::object notify_report(const NotifierCounts& counts);
void write_transfer_metrics(const TransferReport& report, net::MetricSink& sink);
void write_notify_metrics(const NotifierCounts& counts, net::MetricSink& sink);

}  // namespace timepool::dnsd
