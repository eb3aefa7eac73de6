// Metrics over HTTP for a program that has threads and no other HTTP server (dnsd): its threads run
// beside the packet path and share nothing with it but the atomics that the sources read. Without
// a thread: net/metrics_listener.h.
#pragma once

#include <functional>
#include <memory>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "net/http_server.h"
#include "net/metrics.h"

namespace timepool::net {

// Serves GET /metrics on `listen` until it is destroyed. The sources must live as long. Errors: as
// HttpServer::start, naming listen.setting.
Result<std::unique_ptr<HttpServer>> start_metrics_server(HttpListen listen,
                                                         std::vector<MetricSource> sources,
                                                         std::function<void(std::string_view)> log);

}  // namespace timepool::net
