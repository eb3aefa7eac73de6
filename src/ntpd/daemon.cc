#include "ntpd/daemon.h"

#include <unistd.h>

#include <boost/json.hpp>
#include <cerrno>

#include "config/ntpd_leap.h"
#include "config/reload.h"
#include "ntpd/leap_config.h"
#include "ntpd/report_keys.h"
#include "ntpd/sandbox.h"
#include "ntpd/source_commands.h"
#include "ntpd/source_settings.h"
#include "sys/clock.h"
#include "sys/notify.h"
#include "sys/resident.h"
#include "sys/user.h"
#include "sys/version.h"

namespace timepool::ntpd {
namespace json = boost::json;
namespace {

// RFC 8633 3.2: with four sources one may lie and another fail.
constexpr std::size_t kEnoughSources = 4;
// How often the directories of further sources are looked at.
constexpr Duration kSourceFilesInterval = Duration::seconds(5);

void warn_about_number(std::size_t most, int min_sources, sys::Logger& logger) {
  if (most < static_cast<std::size_t>(min_sources)) {
    logger.warning("[sources] min_sources is {}, but there are {} at most: none will be believed",
                   min_sources, most);
  } else if (most < kEnoughSources) {
    logger.warning("{} sources at most: {} or more find a liar (RFC 8633 3.2)", most,
                   kEnoughSources);
  }
}

// Sources whose certificates' dates are not checked are believed in numbers only.
void warn_about_quorum(const std::vector<ntp::SourceConfig>& sources,
                       const config::NtpdNtsConfig& nts, sys::Logger& logger) {
  if (!nts.client || nts.client->unchecked_updates == 0) return;
  std::vector<ntp::SourceConfig> authenticated = sources;
  std::erase_if(authenticated, [](const ntp::SourceConfig& it) { return !it.authenticated; });
  const std::size_t most = most_servers(authenticated);
  if (most >= nts.client->unchecked_quorum) return;
  logger.warning(
      "[nts.client] unchecked_quorum is {}, but there are {} authenticated sources at most: those "
      "with NTS will not be believed",
      nts.client->unchecked_quorum, most);
}

// Whether the client must begin anew for it: all but which servers and pools there are.
bool needs_new_client(const config::NtpdConfig& before, const config::NtpdConfig& now) {
  config::NtpSourcesConfig a = before.sources;
  config::NtpSourcesConfig b = now.sources;
  for (config::NtpSourcesConfig* it : {&a, &b}) {
    it->servers.clear();
    it->pools.clear();
    it->directories.clear();
  }
  return a != b || before.resolver != now.resolver || before.refclocks != now.refclocks ||
         orphan_stratum(before.server) != orphan_stratum(now.server) ||
         before.broadcast_clients != now.broadcast_clients || before.nts.client != now.nts.client ||
         before.nts.srv != now.nts.srv;
}

}  // namespace

Daemon::Daemon(config::NtpdConfig config, std::string config_path, sys::Logger& logger)
    : config_(std::move(config)),
      config_path_(std::move(config_path)),
      logger_(logger),
      started_(sys::mono_now()),
      precision_(sys::measure_precision()),
      succession_(reactor_, logger, "ntp-", net::Succession::Owned::kSockets),
      keys_(logger),
      cookies_(
          reactor_, logger, [this] { return cookie_clock(); },
          [this](std::shared_ptr<const nts::CookieKeys> keys) {
            if (key_server_) key_server_->set_cookies(keys);
            if (server_) server_->set_cookies(std::move(keys));
          }),
      source_files_(logger),
      watchdog_(reactor_) {}

Result<std::unique_ptr<Daemon>> Daemon::create(config::NtpdConfig config, std::string config_path,
                                               sys::Logger& logger, Begin begin) {
  logger.set_level(config.log_level);
  std::unique_ptr<Daemon> out(new Daemon(std::move(config), std::move(config_path), logger));
  Daemon* self = out.get();
  TRY(net::catch_daemon_signals(
      out->reactor_, logger, [self] { return self->reload(); },
      "the configuration stays as it was"));
  TRY(out->succession_.inherit(begin, out->config_.control.socket, out->config_.sandbox.user));
  // The control socket first: its file mode is set by the process's mask, before there are threads.
  TRY(out->open_control());
  // Before there are secrets in memory, which a process of its own would have too.
  TRY(out->make_acme());
  out->start_leap();
  TRY(out->keys_.read(out->config_.keys));
  TRY(out->make_server());
  TRY(out->make_key_server());
  TRY(out->start_broadcaster());
  TRY(out->share_ports());
  out->succession_.keep_owners();
  // All that needs privileges is open now, and there is no thread yet.
  out->kept_ = sandbox_needs(out->config_, out->config_path_);
  TRY(enter_sandbox(out->config_, out->kept_, logger));
  TRY(out->take_state());
  static_cast<void>(out->source_files_.look(out->config_.sources.directories));
  out->start_log();
  TRY(out->start_client());
  out->watch_source_files();
  TRY(out->start_metrics());
  TRY(out->take_cookies(out->config_));
  TRY(out->begin_serving());
  return out;
}

Result<void> Daemon::open_control() {
  control_ = TRY(net::open_control(reactor_, config_.control.socket, succession_.take_listener()));
  if (control_ == nullptr) return {};
  add_commands();
  offer_hand_over();
  add_source_commands(
      *control_, [this] { return client_.get(); }, [this] { return needed_client(); });
  return {};
}

Result<void> Daemon::make_server() {
  if (!config_.server) return {};
  server_ = TRY(TimeServer::create(
      reactor_, logger_, *config_.server, precision_, [this] { return clock_view(); },
      &succession_.inherited()));
  server_->set_keys(keys_.ring());
  return {};
}

Result<void> Daemon::take_cookies(const config::NtpdConfig& config) {
  return cookies_.configure(config::wanted_cookies(config.nts),
                            state_directory(config.state_directory));
}

CookieKeeper::Clock Daemon::cookie_clock() const {
  const UnixTime now = sys::unix_now();
  if (server_) return {server_->state().synchronised(), now};
  return {client_ && client_->keeper().tracking(sys::mono_now()).synchronised, now};
}

Result<void> Daemon::begin_serving() {
  TRY(succession_.finish());
  if (control_) control_->own_file(true);
  if (server_) TRY(server_->begin());
  TRY(begin_key_server());
  if (acme_) TRY(acme_->begin());
  succession_.keep(served_descriptors());
  if (server_) log_serving();
  return {};
}

void Daemon::log_serving() {
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
}

Result<void> Daemon::share_ports() {
  if (!server_ || config_.sandbox.user.empty()) return {};
  const Result<sys::Account> found = sys::account_of(config_.sandbox.user);
  if (!found.ok()) return {};  // entering the sandbox tells why
  const sys::Account& account = *found;
  std::vector<int> shared = server_->descriptors();
  if (broadcaster_) {
    for (const auto& network : broadcaster_->networks()) shared.push_back(network->socket.fd());
  }
  for (const int fd : shared) {
    if (::fchown(fd, account.user, account.group) == 0) continue;
    logger_.warning("{}: peers can't use the port of the server",
                    system_error(errno, "give a socket to user " + account.name).text());
    break;
  }
  return {};
}

Result<void> Daemon::start_broadcaster() {
  broadcaster_.reset();
  if (!server_ || config_.broadcasts.empty()) return {};
  broadcaster_ = TRY(Broadcaster::start(reactor_, logger_, config_.broadcasts, server_->addresses(),
                                        [this] { return server_->state(); }));
  broadcaster_->set_keys(keys_.ring());
  return {};
}

void Daemon::refresh_broadcasts(bool changed) {
  if (changed) {
    const Result<void> started = start_broadcaster();
    if (!started.ok()) logger_.error("{}; nothing is broadcast", started.error().text());
  }
  if (broadcaster_) broadcaster_->set_keys(keys_.ring());
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

ClockView Daemon::clock_view() const {
  if (!client_) return {std::nullopt, {}, &leap_};
  const MonoTime now = sys::mono_now();
  const ntp::Timekeeper& keeper = client_->keeper();
  return {keeper.server_state(now), keeper.leap_backlog(now), &keeper.leap()};
}

Result<void> Daemon::start_client() {
  if (client_) leap_ = client_->leap();
  client_.reset();
  const std::vector<ntp::SourceConfig> sources = wanted_sources();
  if (sources.empty() && config_.refclocks.empty()) return {};
  warn_about_number(most_servers(sources) + config_.refclocks.size(), config_.sources.min_sources,
                    logger_);
  warn_about_quorum(sources, config_.nts, logger_);
  return make_client();
}

Result<void> Daemon::make_client() {
  TRY(succession_.must_hold("sources"));
  client_ = TRY(
      TimeClient::start(reactor_, logger_, config_, precision_, wanted_sources(), keys_.ring()));
  client_->leap() = leap_;
  if (server_ != nullptr) client_->set_served(server_->addresses());
  client_->set_announced([this] {
    if (server_) return server_->state();
    ntp::ServerState none;
    none.precision = static_cast<std::int8_t>(precision_);
    return client_->keeper().server_state(sys::mono_now()).value_or(none);
  });
  client_->set_log(log_.get());
  client_->on_update([this] {
    if (server_) server_->refresh();
  });
  return {};
}

Result<TimeClient*> Daemon::needed_client() {
  if (client_ == nullptr) TRY(make_client());
  return client_.get();
}

std::vector<ntp::SourceConfig> Daemon::wanted_sources() const {
  std::vector<ntp::SourceConfig> out =
      configured_sources(config_.sources, {source_files_.servers(), source_files_.pools()});
  for (const config::NtpPeerConfig& peer : config_.peers) out.push_back(source_config(peer));
  for (const config::NtpBroadcastClientConfig& client : config_.broadcast_clients) {
    out.push_back(source_config(client));
  }
  return out;
}

void Daemon::watch_source_files() {
  source_files_timer_.cancel();
  if (config_.sources.directories.empty()) return;
  source_files_timer_ = reactor_.at(sys::mono_now() + kSourceFilesInterval, [this] {
    if (source_files_.look(config_.sources.directories)) {
      const Result<SourceChanges> changes = apply_sources();
      if (!changes.ok()) logger_.error("{}", changes.error().text());
    }
    watch_source_files();
  });
}

Result<SourceChanges> Daemon::apply_sources() {
  const std::vector<ntp::SourceConfig> wanted = wanted_sources();
  if (client_ != nullptr) return client_->apply(wanted);
  SourceChanges out;
  if (wanted.empty()) return out;
  TRY(make_client());
  out.added = wanted.size();
  return out;
}

void Daemon::add_commands() {
  control_->add("status", "What runs, since when, where.",
                [this](const json::object&) -> Result<json::object> { return status(); });
  add_report_commands();
  add_acme_commands();
  control_->add("accept-step", "Corrects the clock now, whatever [steering] says.",
                [this](const json::object&) { return accept_step(); });
  control_->add("reload", "Takes in the configuration file and the directories of sources anew.",
                [this](const json::object&) { return reload(); });
}

Result<json::object> Daemon::accept_step() {
  if (client_ == nullptr || !client_->keeper().steers()) {
    return fail(Error{ErrorCode::kInvalid, "accept-step", "the clock is not steered"});
  }
  const Duration before = client_->keeper().tracking(sys::mono_now()).offset;
  if (!client_->accept_step()) {
    return fail(Error{ErrorCode::kUnavailable, "accept-step", "no majority of the sources agrees"});
  }
  json::object out;
  out["offset_s"] = before.to_seconds();
  out["correction"] = name_of(client_->keeper().discipline().verdict());
  return out;
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
  out["key_server"] = key_server_report(key_server_.get());
  out["metrics"] = metrics_ ? json::value(format(metrics_->endpoint())) : json::value(nullptr);
  out["sources"] = client_ == nullptr ? 0 : client_->sources().sources().size();
  return out;
}

Result<json::object> Daemon::reload() {
  TRY(succession_.must_hold("reload"));
  config::NtpdConfig next = TRY(config::load_again(config::ntpd_schema(), config_path_));
  TRY(keys_.read(next.keys));
  TRY(take_cookies(next));
  json::array restart;
  TRY(reload_key_server(next, restart));
  TRY(reload_acme(next, restart));
  if (next.control != config_.control) restart.push_back("control");
  if (next.server.has_value() != config_.server.has_value()) {
    restart.push_back("server");
    next.server = config_.server;  // what runs stays
  } else if (next.server) {
    if (!TRY(server_->reload(*next.server))) {
      restart.push_back("server.listen and how its sockets are made");
    }
    if (next.server->limits.clients != config_.server->limits.clients) {
      restart.push_back("server.limits.clients");
    }
  }
  logger_.set_level(next.log_level);
  if (next.sandbox != config_.sandbox) {
    restart.push_back("sandbox");
    next.sandbox = config_.sandbox;
  }
  const std::vector<std::string> missing =
      sys::given_up(kept_, sandbox_needs(next, config_path_), config_.sandbox);
  const bool new_leap = next.leap_file != config_.leap_file ||
                        next.leap_mode != config_.leap_mode ||
                        config::sources_smear(next) != config::sources_smear(config_);
  const bool new_log = next.log != config_.log;
  const bool new_broadcasts = next.broadcasts != config_.broadcasts;
  const bool new_metrics = next.metrics != config_.metrics;
  const bool new_client = needs_new_client(config_, next);
  next.control = config_.control;
  config_ = std::move(next);
  if (new_leap) {
    start_leap();
  } else if (leap_file_) {
    leap_file_->read();
  }
  if (new_log) {
    start_log();
  } else if (log_) {
    log_->cycle();
  }
  if (server_) server_->set_keys(keys_.ring());
  refresh_broadcasts(new_broadcasts);
  if (client_) client_->set_keys(keys_.ring());
  static_cast<void>(source_files_.look(config_.sources.directories));
  SourceChanges changes;
  if (new_client) {
    TRY(start_client());
  } else {
    changes = TRY(apply_sources());
  }
  watch_source_files();
  if (new_metrics) {
    const Result<void> started = start_metrics();
    if (!started.ok()) logger_.error("{}; metrics stay as they were", started.error().text());
  }
  restart = net::tell_restarts(std::move(restart), missing, logger_);
  logger_.info("configuration reloaded{}; sources: {} added, {} changed, {} removed",
               new_client ? ", measuring anew" : "", changes.added, changes.changed,
               changes.removed);
  json::object out;
  out["measuring_anew"] = new_client;
  out["sources_added"] = changes.added;
  out["sources_changed"] = changes.changed;
  out["sources_removed"] = changes.removed;
  json::array problems;
  for (const std::string& problem : source_files_.problems()) problems.emplace_back(problem);
  out["problems"] = std::move(problems);
  out["needs_restart"] = std::move(restart);
  // The parser's.
  sys::release_startup_pages();
  return out;
}

void Daemon::run() {
  watchdog_.start();
  sys::notify_ready("running");
  logger_.info("ready");
  sys::release_startup_pages();
  reactor_.run();
  if (succession_.left()) {
    // Connections that began here end here.
    if (key_server_) key_server_->drain();
    return;
  }
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
