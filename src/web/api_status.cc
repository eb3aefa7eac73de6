// /healthz and /metrics.
#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>

#include <map>

#include "sys/version.h"
#include "web/api.h"

namespace timepool::web {
namespace {

using prometheus::MetricFamily;
using prometheus::MetricType;

class Metrics {
 public:
  void counter(const char* name, const char* help, std::uint64_t value) {
    family(name, help, MetricType::Counter).metric.emplace_back().counter.value =
        static_cast<double>(value);
  }
  void gauge(const char* name, const char* help, double value) {
    family(name, help, MetricType::Gauge).metric.emplace_back().gauge.value = value;
  }
  // One value for each label.
  void gauges(const char* name, const char* help, const char* label,
              const std::map<std::string, double>& values) {
    labelled(name, help, MetricType::Gauge, label, values);
  }
  void counters(const char* name, const char* help, const char* label,
                const std::map<std::string, double>& values) {
    labelled(name, help, MetricType::Counter, label, values);
  }
  void info(const char* name, const char* help, const char* label, std::string_view value) {
    prometheus::ClientMetric& metric = family(name, help, MetricType::Gauge).metric.emplace_back();
    metric.label.push_back({label, std::string(value)});
    metric.gauge.value = 1;
  }
  std::string text() const { return prometheus::TextSerializer().Serialize(families_); }

 private:
  void labelled(const char* name, const char* help, MetricType type, const char* label,
                const std::map<std::string, double>& values) {
    MetricFamily& out = family(name, help, type);
    for (const auto& [key, value] : values) {
      prometheus::ClientMetric& metric = out.metric.emplace_back();
      metric.label.push_back({label, key});
      (type == MetricType::Gauge ? metric.gauge.value : metric.counter.value) = value;
    }
  }
  MetricFamily& family(const char* name, const char* help, MetricType type) {
    MetricFamily& out = families_.emplace_back();
    out.name = name;
    out.help = help;
    out.type = type;
    return out;
  }
  std::vector<MetricFamily> families_;
};

void add_pool(Metrics& out, service::Manager& manager,
              const std::vector<service::ServerView>& servers, std::size_t monitors) {
  std::size_t in_dns = 0;
  for (const service::ServerView& view : servers) in_dns += view.in_dns ? 1 : 0;
  const service::IntakeCounters intake = manager.intake().counters();
  out.gauge("timepool_poold_servers", "Servers registered.", static_cast<double>(servers.size()));
  out.gauge("timepool_poold_servers_in_dns", "Servers in the zones.", static_cast<double>(in_dns));
  out.gauge("timepool_poold_monitors", "Monitors registered.", static_cast<double>(monitors));
  out.counter("timepool_poold_batches_total", "Batches of results taken in.", intake.batches);
  out.counter("timepool_poold_batches_repeated_total",
              "Batches that were sent again and got the stored answer.", intake.repeated);
  out.counter("timepool_poold_results_accepted_total", "Results accepted.", intake.accepted);
  out.counter("timepool_poold_results_rejected_total", "Results rejected.", intake.rejected);
  out.counter("timepool_poold_commits_total", "Database transactions.", manager.db().commits());
  out.counter("timepool_poold_publish_failures_total",
              "Snapshots that could not be made or stored; the one before is served on.",
              manager.publisher().failures());
  if (const auto published = manager.publisher().current()) {
    out.gauge("timepool_poold_snapshot_serial", "Number of the snapshot served.",
              static_cast<double>(published->serial));
    out.gauge("timepool_poold_snapshot_created_seconds", "When it was made, Unix time.",
              static_cast<double>(published->created.seconds()));
  }
}

void add_nts(Metrics& out, service::Manager& manager,
             const std::vector<service::ServerView>& servers) {
  using pool::NtsState;
  std::map<std::string, double> states;
  for (const NtsState state : {NtsState::kUnnamed, NtsState::kWaiting, NtsState::kConfirmed,
                               NtsState::kFailing, NtsState::kRemoved}) {
    states[std::string(pool::name_of(state))] = 0;
  }
  std::size_t listed = 0;
  for (const service::ServerView& view : servers) {
    ++states[std::string(pool::name_of(view.nts.state))];
    listed += view.nts.listed ? 1U : 0U;
  }
  std::map<std::string, double> checks;
  const auto counts = manager.intake().counters().nts_checks;
  for (std::size_t i = 0; i < counts.size(); ++i) {
    const auto outcome = static_cast<pool::NtsOutcome>(i);
    checks[std::string(pool::name_of(outcome))] = static_cast<double>(counts[i]);
  }
  out.gauges("timepool_poold_nts_servers", "Servers by the state of their NTS.", "state", states);
  out.gauge("timepool_poold_servers_in_srv", "Servers whose names stand in SRV records.",
            static_cast<double>(listed));
  out.counters("timepool_poold_nts_checks_total", "Checks of NTS by their outcome.", "outcome",
               checks);
}

void add_http(Metrics& out, const net::HttpServerCounters& http) {
  out.counter("timepool_http_connections_total", "Connections accepted.", http.connections);
  out.counter("timepool_http_connections_refused_total", "Connections over the limit.",
              http.connections_refused);
  out.gauge("timepool_http_connections", "Connections open.",
            static_cast<double>(http.connections_open));
  out.counter("timepool_http_requests_total", "Requests answered.", http.requests);
  out.counter("timepool_http_client_errors_total", "Answers 4xx.", http.client_errors);
  out.counter("timepool_http_server_errors_total", "Answers 5xx.", http.server_errors);
  out.counter("timepool_http_timeouts_total", "Requests that did not arrive in time.",
              http.timeouts);
  out.gauge("timepool_http_waiting", "Long-polls that wait.", static_cast<double>(http.waiting));
}

net::HttpResponse metrics(service::Manager& manager, const net::HttpServer* server) {
  const auto servers = manager.registry().servers();
  const auto monitors = manager.registry().monitors();
  if (!servers.ok()) return net::http_error(servers.error());
  if (!monitors.ok()) return net::http_error(monitors.error());
  Metrics out;
  out.info("timepool_build_info", "The version that runs.", "version", sys::version());
  add_pool(out, manager, *servers, monitors->size());
  add_nts(out, manager, *servers);
  if (server != nullptr) add_http(out, server->counters());
  return net::http_text(200, "text/plain; version=0.0.4; charset=utf-8", out.text());
}

}  // namespace

void add_status_routes(net::HttpRouter& router, service::Manager& manager, ServerSlot server) {
  router.on("GET", "/healthz", [&manager](const net::HttpRequest&) {
    const auto read = manager.db().read([](store::Tx& tx) -> Result<void> {
      TRY(tx.run("SELECT 1"));
      return {};
    });
    if (!read.ok()) return net::http_error(503, "unavailable", "the database can't be read");
    return net::http_json(200, "{\"status\":\"ok\"}");
  });
  router.on("GET", "/metrics", [&manager, server](const net::HttpRequest&) {
    return metrics(manager, server->load());
  });
}

}  // namespace timepool::web
