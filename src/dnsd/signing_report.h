// What signing is doing, for `status` and as metrics.
#pragma once

#include <boost/json/object.hpp>

#include "dnsd/signing_keeper.h"
#include "net/metrics.h"

namespace timepool::dnsd {

boost::json::object signing_report(const SigningReport& report);
void write_signing_metrics(const SigningReport& report, net::MetricSink& sink);

}  // namespace timepool::dnsd
