// The daemon's reports: commands that tell something, metrics over HTTP, measurement logs.
#include <boost/json.hpp>

#include "ntpd/daemon.h"
#include "ntpd/report_authentication.h"
#include "ntpd/report_clients.h"
#include "ntpd/report_refclocks.h"
#include "sys/clock.h"

namespace timepool::ntpd {
namespace json = boost::json;
namespace {

// The source that a command is about; empty: all.
std::string_view source_of(const json::object& request) {
  const json::value* source = request.if_contains("source");
  return source != nullptr && source->is_string() ? std::string_view(source->get_string()) : "";
}

}  // namespace

void Daemon::add_report_commands() {
  control_->add("sources", "Every source with its measurements.",
                [this](const json::object&) -> Result<json::object> {
                  return sources_report(halves(), sys::mono_now());
                });
  control_->add("authentication", "How each source's packets are proved, and by which keys.",
                [this](const json::object&) -> Result<json::object> {
                  return authentication_report(halves(), sys::mono_now());
                });
  control_->add("tracking", "What the sources together say about the system clock.",
                [this](const json::object&) -> Result<json::object> {
                  return tracking_report(halves(), sys::mono_now());
                });
  control_->add(
      "refclocks", "The reference clocks' drivers, with a reason for each look.",
      [this](const json::object&) -> Result<json::object> { return refclocks_report(halves()); });
  control_->add(
      "counters", "One reason for each datagram received.",
      [this](const json::object&) -> Result<json::object> { return counters_report(halves()); });
  control_->add("clients", "Who asks the server most: the \"count\" most active.",
                [this](const json::object& request) {
                  return clients_report(halves(), request, sys::mono_now());
                });
  control_->add("sourcestats", "What the samples of each source, or of \"source\", say together.",
                [this](const json::object& request) {
                  return statistics_report(halves(), source_of(request), sys::mono_now());
                });
  control_->add("selectdata", "Why each source, or \"source\", is used or not, in short.",
                [this](const json::object& request) {
                  return selection_report(halves(), source_of(request), sys::mono_now());
                });
  control_->add("explain", "Why each source, or \"source\", is used or not, in plain words.",
                [this](const json::object& request) {
                  return explain_report(halves(), source_of(request), sys::mono_now());
                });
  control_->add("ntpdata", "The packets and the last answer of each server, or of \"source\".",
                [this](const json::object& request) {
                  return packets_report(halves(), source_of(request), sys::mono_now());
                });
  control_->add(
      "security", "What was rejected, when and from whom, and what it means.",
      [this](const json::object&) -> Result<json::object> { return security_report(halves()); });
  control_->add("activity", "How many sources there are to ask.",
                [this](const json::object&) -> Result<json::object> {
                  return activity_report(halves(), sys::mono_now());
                });
  control_->add("metrics", "The same and more as Prometheus text.",
                [this](const json::object&) -> Result<json::object> {
                  json::object out;
                  out["text"] = net::metrics_text({metrics_source()});
                  return out;
                });
  control_->add("cyclelogs", "Opens the measurement logs anew, after they were moved away.",
                [this](const json::object&) -> Result<json::object> { return cycle_logs(); });
}

net::MetricSource Daemon::metrics_source() const {
  return [this](net::MetricSink& sink) { write_metrics(halves(), sys::mono_now(), sink); };
}

Result<void> Daemon::start_metrics() {
  if (!config_.metrics.listen) {
    metrics_.reset();
    return {};
  }
  net::MetricsListenerOptions options;
  options.listen = *config_.metrics.listen;
  metrics_ = TRY(net::MetricsListener::start(reactor_, std::move(options), metrics_source()));
  logger_.info("metrics at http://{}/metrics", format(metrics_->endpoint()));
  return {};
}

void Daemon::start_log() {
  std::unique_ptr<MeasurementLog> log;
  if (config_.log.any()) log = std::make_unique<MeasurementLog>(reactor_, logger_, config_.log);
  if (client_ != nullptr) client_->set_log(log.get());
  log_ = std::move(log);
}

json::object Daemon::cycle_logs() {
  json::array files;
  for (std::size_t i = 0; log_ != nullptr && i < kLogKinds; ++i) {
    const LogFile* file = log_->file(static_cast<LogKind>(i));
    if (file == nullptr) continue;
    files.push_back({{"path", file->path()}, {"written", file->written()}, {"lost", file->lost()}});
  }
  if (log_ != nullptr) log_->cycle();
  json::object out;
  out["logs"] = std::move(files);
  return out;
}

}  // namespace timepool::ntpd
