#include "ntpd/daemon.h"

#include <unistd.h>

#include <boost/json.hpp>
#include <csignal>

#include "config/ntpd_leap.h"
#include "ntpd/leap_config.h"
#include "ntpd/report_refclocks.h"
#include "ntpd/source_commands.h"
#include "sys/clock.h"
#include "sys/file.h"
#include "sys/notify.h"
#include "sys/signal_flag.h"
#include "sys/version.h"

namespace timepool::ntpd {
namespace json = boost::json;
namespace {

bool has_sources(const config::NtpdConfig& config) {
  return !config.sources.servers.empty() || !config.sources.pools.empty() ||
         !config.refclocks.empty();
}

// RFC 8633 3.2: with four sources one may lie and another fail.
constexpr int kEnoughSources = 4;

void warn_about_number(const config::NtpdConfig& config, sys::Logger& logger) {
  const config::NtpSourcesConfig& sources = config.sources;
  int most = static_cast<int>(sources.servers.size() + config.refclocks.size());
  for (const config::NtpSourceConfig& pool : sources.pools) most += pool.max_addresses;
  if (most < sources.min_sources) {
    logger.warning("[sources] min_sources is {}, but there are {} at most: none will be believed",
                   sources.min_sources, most);
  } else if (most < kEnoughSources) {
    logger.warning("{} sources at most: {} or more find a liar (RFC 8633 3.2)", most,
                   kEnoughSources);
  }
}

// The source that a command is about; empty: all.
std::string_view source_of(const json::object& request) {
  const json::value* source = request.if_contains("source");
  return source != nullptr && source->is_string() ? std::string_view(source->get_string()) : "";
}

}  // namespace

Daemon::Daemon(config::NtpdConfig config, std::string config_path, sys::Logger& logger)
    : config_(std::move(config)),
      config_path_(std::move(config_path)),
      logger_(logger),
      started_(sys::mono_now()),
      precision_(sys::measure_precision()) {}

Result<std::unique_ptr<Daemon>> Daemon::create(config::NtpdConfig config, std::string config_path,
                                               sys::Logger& logger) {
  logger.set_level(config.log_level);
  std::unique_ptr<Daemon> out(new Daemon(std::move(config), std::move(config_path), logger));
  TRY(out->catch_signals());
  // The control socket first: its file mode is set by the process's mask, before there are threads.
  TRY(out->open_control());
  out->start_leap();
  TRY(out->start_server());
  TRY(out->start_client());
  TRY(out->start_metrics());
  return out;
}

Result<void> Daemon::catch_signals() {
  sys::ignore_sigpipe();
  TRY(reactor_.on_signal(SIGTERM, [this] { reactor_.stop(); }));
  TRY(reactor_.on_signal(SIGINT, [this] { reactor_.stop(); }));
  TRY(reactor_.on_signal(SIGHUP, [this] {
    if (const auto result = reload(); !result.ok()) {
      logger_.error("{}; the configuration stays as it was", result.error().text());
    }
  }));
  return {};
}

Result<void> Daemon::open_control() {
  if (config_.control.socket.empty()) return {};
  const Result<void> made = sys::make_directories(sys::directory_of(config_.control.socket));
  if (!made.ok()) {
    Error error = made.error();
    error.operation = "[control] socket: " + error.operation;
    return fail(std::move(error));
  }
  net::ControlOptions options;
  options.path = config_.control.socket;
  control_ = TRY(net::ControlServer::create(reactor_, std::move(options)));
  add_commands();
  add_source_commands(*control_, [this] { return client_.get(); });
  return {};
}

Result<void> Daemon::start_server() {
  if (!config_.server) return {};
  server_ = TRY(TimeServer::start(reactor_, *config_.server, precision_,
                                  [this](UnixTime now) { return leap_announcement(now); }));
  for (const Endpoint& address : server_->addresses()) {
    logger_.info("serving on {}", format(address));
  }
  if (config_.server->test.offset != Duration()) {
    logger_.warning("[server.test] offset: this server lies by {}",
                    format(config_.server->test.offset));
  }
  if (!config_.server->local) {
    logger_.info("no [server.local]: answers say that the clock is not synchronised");
  }
  return {};
}

void Daemon::start_leap() {
  leap_file_.reset();
  if (client_) leap_ = client_->leap();
  const std::optional<ntp::LeapSecond> applied = leap_.applied();
  leap_ = ntp::LeapKeeper(leap_config(config_));
  // Not once more while UTC repeats its second.
  if (applied) leap_.handle_applied(*applied);
  if (client_) client_->leap() = leap_;
  if (config_.leap_file.empty()) return;
  leap_file_ = std::make_unique<LeapFile>(reactor_, logger_, config_.leap_file,
                                          [this](const ntp::LeapTable& read) {
                                            leap_.set_table(read);
                                            if (client_) client_->leap().set_table(read);
                                          });
  leap_file_->read();
}

wire::ntp::Leap Daemon::leap_announcement(UnixTime now) {
  return client_ ? client_->leap().announcement(now) : leap_.announcement(now);
}

Result<void> Daemon::start_client() {
  if (client_) leap_ = client_->leap();
  client_.reset();
  if (!has_sources(config_)) return {};
  warn_about_number(config_, logger_);
  client_ = TRY(TimeClient::start(reactor_, logger_, config_, precision_));
  client_->leap() = leap_;
  if (server_ != nullptr) client_->set_served(server_->addresses());
  return {};
}

void Daemon::add_commands() {
  control_->add("status", "What runs, since when, where.",
                [this](const json::object&) -> Result<json::object> { return status(); });
  control_->add("sources", "Every source with its measurements.",
                [this](const json::object&) -> Result<json::object> {
                  return sources_report(halves(), sys::mono_now());
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
  control_->add("reload", "Takes in the configuration file anew.",
                [this](const json::object&) { return reload(); });
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

json::object Daemon::status() const {
  json::object out;
  out["program"] = "timepool-ntpd";
  out["version"] = sys::version();
  out["pid"] = ::getpid();
  out["uptime_s"] = (sys::mono_now() - started_).to_seconds();
  out["config"] = config_path_;
  out["clock"] = clock_mode(halves());
  out["server"] = server_report(halves());
  out["metrics"] = metrics_ ? json::value(format(metrics_->endpoint())) : json::value(nullptr);
  out["sources"] = config_.sources.servers.size() + config_.sources.pools.size();
  return out;
}

Result<json::object> Daemon::reload() {
  sys::notify_reloading();
  auto read = config::load(config::ntpd_schema(), config_path_);
  sys::notify_ready("running");
  if (!read.ok()) {
    return fail(Error{ErrorCode::kInvalid, "reload", config::format(read.error())});
  }
  config::NtpdConfig next = std::move(read).value();
  json::array restart;
  logger_.set_level(next.log_level);
  if (next.control != config_.control) restart.push_back("control");
  if (next.server.has_value() != config_.server.has_value()) {
    restart.push_back("server");
    next.server = config_.server;  // what runs stays
  } else if (next.server && !server_->reload(*next.server)) {
    restart.push_back("server.listen and how its sockets are made");
  }
  const bool new_leap = next.leap_file != config_.leap_file ||
                        next.leap_mode != config_.leap_mode ||
                        config::sources_smear(next) != config::sources_smear(config_);
  const bool new_metrics = next.metrics != config_.metrics;
  const bool new_sources = next.sources != config_.sources || next.resolver != config_.resolver ||
                           next.refclocks != config_.refclocks;
  next.control = config_.control;
  config_ = std::move(next);
  if (new_leap) {
    start_leap();
  } else if (leap_file_) {
    leap_file_->read();
  }
  if (new_sources) TRY(start_client());
  if (new_metrics) {
    const Result<void> started = start_metrics();
    if (!started.ok()) logger_.error("{}; metrics stay as they were", started.error().text());
  }
  for (const json::value& setting : restart) {
    logger_.warning("{} changed: that needs a restart", setting.get_string().c_str());
  }
  logger_.info("configuration reloaded{}", new_sources ? ", measuring the sources anew" : "");
  json::object out;
  out["sources_changed"] = new_sources;
  out["needs_restart"] = std::move(restart);
  return out;
}

void Daemon::keep_watchdog() {
  const Duration interval = sys::watchdog_interval();
  if (interval == Duration()) return;
  sys::notify_watchdog();
  watchdog_ = reactor_.at(sys::mono_now() + interval, [this] { keep_watchdog(); });
}

void Daemon::run() {
  keep_watchdog();
  sys::notify_ready("running");
  logger_.info("ready");
  reactor_.run();
  sys::notify_stopping();
  log_tracking();
  logger_.info("stopping");
}

void Daemon::log_tracking() {
  if (client_ == nullptr) return;
  const ntp::Tracking tracking = client_->keeper().tracking(sys::mono_now());
  if (!tracking.synchronised) return;
  logger_.info("the system clock was off by {} s at {}, to {} s now, by {} sources",
               -tracking.offset.to_seconds(),
               format_utc(client_->keeper().system_time(tracking.updated.raw)),
               tracking.uncertainty.to_seconds(), tracking.survivors);
}

}  // namespace timepool::ntpd
