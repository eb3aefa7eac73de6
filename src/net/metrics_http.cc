#include "net/metrics_http.h"

#include <utility>

namespace timepool::net {

void add_metrics_route(HttpRouter& router, std::vector<MetricSource> sources) {
  router.on("GET", "/metrics", [sources = std::move(sources)](const HttpRequest&) {
    return http_text(200, "text/plain; version=0.0.4; charset=utf-8", metrics_text(sources));
  });
}

void write_http_metrics(const HttpServerCounters& counters, MetricSink& sink) {
  sink.counter("timepool_http_connections_total", "Connections accepted.", counters.connections);
  sink.counter("timepool_http_connections_refused_total", "Connections over the limit.",
               counters.connections_refused);
  sink.gauge("timepool_http_connections_open", "Connections open now.",
             static_cast<double>(counters.connections_open));
  sink.counter("timepool_http_requests_total", "Requests answered.", counters.requests);
  sink.counter("timepool_http_errors_total", "Requests answered with an error.",
               counters.client_errors, {{"class", "client"}});
  sink.counter("timepool_http_errors_total", "Requests answered with an error.",
               counters.server_errors, {{"class", "server"}});
  sink.counter("timepool_http_timeouts_total", "Requests that did not arrive in time.",
               counters.timeouts);
  sink.gauge("timepool_http_waiting", "Long-polls that wait now.",
             static_cast<double>(counters.waiting));
}

Result<std::unique_ptr<HttpServer>> start_metrics_server(
    HttpListen listen, std::vector<MetricSource> sources,
    std::function<void(std::string_view)> log) {
  HttpRouter router;
  add_metrics_route(router, std::move(sources));
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
