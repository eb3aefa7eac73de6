// Metrics over HTTP: a route for programs that have an HTTP server, and a small server of its own
// for those that have none (ntpd, dnsd: its threads run beside the packet path and share nothing
// with it but the atomics that the sources read).
#pragma once

#include <functional>
#include <memory>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "net/http_server.h"
#include "net/metrics.h"

namespace timepool::net {

// GET /metrics
void add_metrics_route(HttpRouter& router, std::vector<MetricSource> sources);

// The server's counters as timepool_http_*.
void write_http_metrics(const HttpServerCounters& counters, MetricSink& sink);

// Serves GET /metrics on `listen` until it is destroyed. The sources must live as long. Errors: as
// HttpServer::start, naming listen.setting.
Result<std::unique_ptr<HttpServer>> start_metrics_server(HttpListen listen,
                                                         std::vector<MetricSource> sources,
                                                         std::function<void(std::string_view)> log);

}  // namespace timepool::net
