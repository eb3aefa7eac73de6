#include "net/metrics_http.h"

#include <utility>

namespace timepool::net {

Result<std::unique_ptr<HttpServer>> start_metrics_server(
    HttpListen listen, std::vector<MetricSource> sources,
    std::function<void(std::string_view)> log) {
  HttpRouter router;
  router.on("GET", "/metrics", [sources = std::move(sources)](const HttpRequest&) {
    return http_text(200, "text/plain; version=0.0.4; charset=utf-8", metrics_text(sources));
  });
  HttpServerOptions options;
  options.listen.push_back(std::move(listen));
  options.workers = 1;
  options.limits.connections = 16;
  options.limits.in_flight = 4;
  options.limits.body_bytes = 1024;
  options.log = std::move(log);
  return HttpServer::start(std::move(router), std::move(options));
}

}  // namespace timepool::net
