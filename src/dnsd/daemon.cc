#include "dnsd/daemon.h"

#include <unistd.h>

#include <boost/json.hpp>
#include <cerrno>

#include "config/reload.h"
#include "dnsd/key_commands.h"
#include "dnsd/lookup.h"
#include "dnsd/report.h"
#include "dnsd/sandbox.h"
#include "dnsd/signing_report.h"
#include "dnsd/transfer_report.h"
#include "net/http_client.h"
#include "net/metrics_http.h"
#include "sys/clock.h"
#include "sys/notify.h"
#include "sys/random.h"
#include "sys/user.h"
#include "sys/version.h"

namespace timepool::dnsd {
namespace json = boost::json;
namespace {

// How often files are looked at.
constexpr Duration kWatchInterval = Duration::seconds(1);

std::vector<crypto::PublicKey> keys_of(const config::DnsdSnapshotConfig& config) {
  std::vector<crypto::PublicKey> out;
  // The schema has checked them.
  for (const std::string& text : config.public_keys) {
    out.push_back(crypto::parse_public_key(text).value());
  }
  return out;
}

Error with_setting(Error error, std::string_view setting) {
  error.operation = std::string(setting) + ": " + error.operation;
  return error;
}

}  // namespace

Daemon::Daemon(config::DnsdConfig config, std::string config_path, sys::Logger& logger)
    : config_(std::move(config)),
      config_path_(std::move(config_path)),
      logger_(logger),
      started_(sys::mono_now()),
      succession_(reactor_, logger, "dns-", net::Succession::Owned::kControlFile),
      watchdog_(reactor_) {}

Daemon::~Daemon() {
  if (puller_) puller_->stop();
  watch_.stop();
  // Nothing answers any more when the last counts are taken.
  metrics_.reset();
  frontend_.reset();
  reporter_.reset();
  if (succession_.left()) leave_counts();
}

Result<std::unique_ptr<Daemon>> Daemon::create(config::DnsdConfig config, std::string config_path,
                                               sys::Logger& logger, Begin begin) {
  logger.set_level(config.log_level);
  std::unique_ptr<Daemon> out(new Daemon(std::move(config), std::move(config_path), logger));
  Daemon* self = out.get();
  TRY(net::catch_daemon_signals(
      out->reactor_, logger, [self] { return self->reload(); }, "what was served stays"));
  TRY(out->succession_.inherit(begin, out->config_.control.socket, out->config_.sandbox.user));
  // The control socket first: its file mode is set by the process's mask, before there are threads.
  TRY(out->open_control());
  const std::size_t lanes = Frontend::lanes(out->config_);
  out->query_log_ = std::make_unique<QueryLog>(lanes, logger);
  TRY(out->query_log_->open(out->config_.query_log, out->config_.server.identity));
  out->keeper_ = TRY(ZoneKeeper::create(out->config_, lanes, logger));
  out->prepare_signing();
  TRY(out->load_snapshot());
  out->frontend_ =
      TRY(Frontend::create(out->reactor_, logger, out->config_, out->keeper_->serving(),
                           *out->query_log_, out->succession_.inherited()));
  out->succession_.keep_owners();
  TRY(out->make_key_directory());
  TRY(out->make_journal_directory());
  if (!out->config_.snapshot.urls.empty()) TRY(net::prepare_http_client());
  // All that needs privileges is open now, and there is no thread yet.
  out->kept_ = sandbox_needs(out->config_, out->config_path_);
  TRY(sys::enter_sandbox(out->config_.sandbox, out->kept_, out->config_.control.socket, logger));
  TRY(out->open_keys());
  TRY(out->await_snapshot());
  // So that no first answer lacks its signatures.
  // Zones get their serials of before, and the journal is this process's.
  out->keeper_->scan();
  out->signing_->settle();
  TRY(out->begin_serving());
  if (out->config_.zones.directory.empty() && out->config_.snapshot.urls.empty() && !out->held_) {
    logger.warning("neither [zones] directory nor [snapshot] urls: every query is refused");
  }
  return out;
}

// In the sandbox no directory can be made; there it belongs to whom this process becomes.
Result<void> Daemon::make_key_directory() {
  const std::string& path = config_.dnssec.directory;
  if (config_.dnssec.zones.empty()) return {};
  const bool there = ::access(path.c_str(), F_OK) == 0;
  if (const auto made = crypto::DnsKeyDirectory(path).prepare(); !made.ok()) {
    return fail(with_setting(made.error(), "[dnssec] directory"));
  }
  return give_directory(path, there, "[dnssec] directory");
}

Result<void> Daemon::make_journal_directory() {
  const std::string& path = config_.transfer.journal;
  if (path.empty()) return {};
  const bool there = ::access(path.c_str(), F_OK) == 0;
  if (const auto made = TransferJournal::prepare(path); !made.ok()) {
    return fail(with_setting(made.error(), "[transfer] journal"));
  }
  return give_directory(path, there, "[transfer] journal");
}

Result<void> Daemon::give_directory(const std::string& path, bool there, const char* setting) {
  if (there || config_.sandbox.user.empty()) return {};
  const sys::Account account = TRY(sys::account_of(config_.sandbox.user));
  if (account.user == ::geteuid() || ::chown(path.c_str(), account.user, account.group) == 0) {
    return {};
  }
  return fail(with_setting(system_error(errno, "give " + path + " to [sandbox] user"), setting));
}

Result<void> Daemon::open_keys() {
  key_keeper_ = TRY(KeyKeeper::create(config_.dnssec, logger_, [this](const KeyKeeper::Keys& keys) {
    signing_->take_keys(keys);
    keeper_->take_keys(keys);
  }));
  keeper_->keys_by(*key_keeper_);
  if (control_) add_key_commands(*control_, *key_keeper_);
  return {};
}

Result<void> Daemon::open_control() {
  control_ = TRY(net::open_control(reactor_, config_.control.socket, succession_.take_listener()));
  if (control_ == nullptr) return {};
  add_commands();
  offer_hand_over();
  return {};
}

// What was served last, so that this server starts without a manager.
Result<void> Daemon::load_snapshot() {
  const config::DnsdSnapshotConfig& config = config_.snapshot;
  if (config.directory.empty()) return {};
  auto store = snapshot::SnapshotStore::create(config.directory, "dns", config.keep);
  if (!store.ok()) return fail(with_setting(store.error(), "[snapshot] directory"));
  store_ = std::move(store).value();
  auto loaded = store_->load(keys_of(config));
  if (!loaded.ok()) return fail(with_setting(loaded.error(), "[snapshot] directory"));
  for (const Error& skipped : loaded->skipped) logger_.error("{}; left aside", skipped.text());
  if (!loaded->snapshot) return {};
  if (const auto taken = keeper_->take_snapshot(*loaded->snapshot); !taken.ok()) {
    logger_.error("{}; left aside", taken.error().text());
    return {};
  }
  held_ = std::move(loaded->snapshot);
  return {};
}

void Daemon::prepare_signing() {
  signing_ = std::make_unique<SigningKeeper>(
      signing_options(config_.dnssec), logger_, [keeper = keeper_.get()](auto zones, auto made) {
        keeper->publish_signed(std::move(zones), std::move(made));
      });
  keeper_->sign_with(*signing_);
}

void Daemon::start_puller() {
  const config::DnsdSnapshotConfig& config = config_.snapshot;
  if (config.urls.empty()) return;
  snapshot::PullerOptions options;
  options.urls = config.urls;
  options.public_keys = keys_of(config);
  options.ca_file = config.ca_file;
  options.wait = config.wait;
  options.longest_rest = config.retry_max;
  options.first_rest = std::min(options.first_rest, config.retry_max);
  options.seed = sys::random_u64();
  if (relay_) {
    options.hand_on = [relay = relay_.get()](std::uint64_t serial, const std::string& file) {
      relay->publish(serial, file);
    };
  }
  options.tell = [&log = logger_](bool fault, const std::string& text) {
    if (fault) {
      log.warning("[snapshot] urls, directory: {}; what was served stays", text);
    } else {
      log.info("[snapshot]: {}", text);
    }
  };
  puller_ = std::make_unique<snapshot::SnapshotPuller>(
      std::move(options), store_ ? &*store_ : nullptr, held_,
      [this](const snapshot::Snapshot& taken) { return keeper_->take_snapshot(taken); });
  puller_->start();
}

Result<void> Daemon::start_metrics() {
  if (!config_.metrics.listen) return {};
  net::HttpListen listen;
  listen.setting = "[metrics] listen";
  listen.endpoint = *config_.metrics.listen;
  metrics_ = TRY(net::start_metrics_server(
      std::move(listen), {[this](net::MetricSink& sink) { write_all_metrics(sink); }},
      [this](std::string_view line) { logger_.warning("metrics: {}", line); }));
  return {};
}

ReporterOptions Daemon::reporter_options() const {
  ReporterOptions out;
  out.urls = config_.snapshot.urls;
  out.ca_file = config_.snapshot.ca_file;
  out.token_file = config_.accounting.token_file;
  out.spool_file = config_.accounting.spool_file;
  out.interval = config_.accounting.interval;
  out.tell = [&log = logger_](bool fault, const std::string& text) {
    if (fault) {
      log.warning("[accounting]: {}; what is not told is kept", text);
    } else {
      log.info("[accounting]: {}", text);
    }
  };
  return out;
}

Result<void> Daemon::start_reporter() {
  if (config_.accounting.token_file.empty()) return {};
  auto made = AccountReporter::create(reporter_options(), keeper_->accounting());
  if (!made.ok()) return fail(with_setting(made.error(), "[accounting] spool_file"));
  reporter_ = std::move(made).value();
  reporter_->start();
  return {};
}

// What was answered since the successor began to tell.
void Daemon::leave_counts() {
  if (config_.accounting.token_file.empty() || config_.accounting.spool_file.empty()) return;
  ReporterOptions options = reporter_options();
  options.spool_file += AccountReporter::kLeftSuffix;
  const auto last = AccountReporter::create(std::move(options), keeper_->accounting());
  if (!last.ok()) logger_.error("{}", last.error().text());
}

Parts Daemon::parts() {
  return {*frontend_, *keeper_, *query_log_, puller_.get(), reporter_.get(), signing_.get()};
}

void Daemon::write_all_metrics(net::MetricSink& sink) {
  write_metrics(parts(), sink);
  key_keeper_->write_metrics(sink);
  if (const TransferReport transfers = keeper_->transfers(); transfers.active) {
    write_transfer_metrics(transfers, sink);
  }
  if (const Notifier* notifier = telling_) write_notify_metrics(notifier->counts(), sink);
}

Result<void> Daemon::start_relay() {
  if (!config_.snapshot.relay) return {};
  // Anew, so that it feeds the relay; with nothing held it fetches what the relay lacks.
  stop_puller();
  relay_ = TRY(SnapshotRelay::start(*config_.snapshot.relay, logger_));
  if (held_ && store_) {
    auto loaded = store_->load(keys_of(config_.snapshot));
    if (loaded.ok() && loaded->snapshot && loaded->snapshot->serial == held_->serial) {
      relay_->publish(held_->serial, std::move(loaded->file));
      return {};
    }
  }
  held_.reset();
  return {};
}

void Daemon::stop_puller() {
  if (!puller_) return;
  puller_->stop();
  const snapshot::PullerStatus status = puller_->status();
  puller_.reset();
  held_.reset();
  if (status.serial == 0) return;
  held_.emplace();
  held_->serial = status.serial;
  if (status.created) held_->created = *status.created;
}

Result<void> Daemon::start_notifier(const config::DnsdTransferConfig& config) {
  if (notifier_ != nullptr) {
    if (!(config == config_.transfer)) notifier_->reconfigure(config);
  } else if (!config.notify.empty()) {
    notifier_ = TRY(Notifier::create(config, logger_));
    notifier_->start();
    telling_ = notifier_.get();
  } else {
    return {};
  }
  keeper_->tell_changes([notifier = notifier_.get()](const auto& zones) { notifier->add(zones); });
  return {};
}

Result<void> Daemon::start_helpers() {
  TRY(start_notifier(config_.transfer));
  TRY(start_relay());
  signing_->start();
  keeper_->start_transfers();
  if (!puller_) start_puller();
  TRY(start_reporter());
  query_log_->start();
  watch_.start(kWatchInterval, [this] {
    keeper_->scan();
    key_keeper_->look();
    return kWatchInterval;
  });
  return start_metrics();
}

void Daemon::add_commands() {
  const auto add = [this](const char* name, const char* help, auto command) {
    control_->add(name, help, [command](const json::object& request) -> Result<json::object> {
      return command(request);
    });
  };
  add("status", "What runs, since when, where.", [this](const json::object&) { return status(); });
  add("zones", "Every zone served, where it comes from, and what is wrong now.",
      [this](const json::object&) { return zones_report(keeper_->report()); });
  add("stats",
      "Queries by what became of them, type, zone and country; the servers handed out most.",
      [this](const json::object&) { return stats_report(parts()); });
  add("lookup", "What an address is answered from: name, type, address.",
      [this](const json::object& request) { return lookup_report(*keeper_, request); });
  add("metrics", "The counters as Prometheus text.", [this](const json::object&) {
    json::object out;
    out["text"] = net::metrics_text({[this](net::MetricSink& sink) { write_all_metrics(sink); }});
    return out;
  });
  add("reload", "Takes in the configuration and what it names anew.",
      [this](const json::object&) { return reload(); });
}

json::object Daemon::status() const {
  json::object out;
  out["program"] = "timepool-dnsd";
  out["version"] = sys::version();
  out["pid"] = ::getpid();
  out["uptime_s"] = (sys::mono_now() - started_).to_seconds();
  out["config"] = config_path_;
  json::array listen;
  for (const Endpoint& address : frontend_->addresses()) listen.emplace_back(format(address));
  out["listen"] = std::move(listen);
  json::array tls;
  for (const Endpoint& address : frontend_->tls_addresses()) tls.emplace_back(format(address));
  out["tls_listen"] = std::move(tls);
  out["threads"] = config_.server.threads;
  if (metrics_) {
    json::array metrics;
    for (const Endpoint& address : metrics_->endpoints()) metrics.emplace_back(format(address));
    out["metrics"] = std::move(metrics);
  }
  const KeeperReport report = keeper_->report();
  out["zones"] = report.zones.size();
  out["problems"] = report.problems.size();
  out["snapshot_serial"] = report.snapshot_serial;
  out["signing"] = signing_report(signing_->report());
  if (puller_) out["snapshot"] = snapshot_report(puller_->status());
  if (reporter_) out["accounting"] = reporter_report(reporter_->status());
  if (notifier_) {
    out["notify"] = notify_report(notifier_->counts());
  }
  if (const TransferReport transfers = keeper_->transfers(); transfers.active) {
    out["transfers"] = transfer_report(transfers);
  }
  if (relay_) {
    json::array relay;
    for (const Endpoint& address : relay_->endpoints()) relay.emplace_back(format(address));
    out["relay"] = std::move(relay);
  }
  return out;
}

json::array Daemon::keep_unchangeable(config::DnsdConfig& next) const {
  json::array restart;
  const config::DnsdServerConfig& server = config_.server;
  if (next.server.listen != server.listen || next.server.threads != server.threads ||
      next.server.pin_threads != server.pin_threads ||
      next.server.receive_buffer != server.receive_buffer) {
    restart.emplace_back("server.listen and how its sockets are made");
  }
  if (next.rrl.table_size != config_.rrl.table_size) restart.emplace_back("rrl.table_size");
  if (next.tcp.threads != config_.tcp.threads) restart.emplace_back("tcp.threads");
  if (next.tls.threads != config_.tls.threads || next.tls.listen != config_.tls.listen ||
      next.tls.resumption != config_.tls.resumption) {
    restart.emplace_back("tls.listen, tls.threads and tls.resumption");
  }
  if (!(next.accounting == config_.accounting)) restart.emplace_back("accounting");
  if (!(next.snapshot == config_.snapshot)) restart.emplace_back("snapshot");
  if (!(next.control == config_.control)) restart.emplace_back("control");
  if (!(next.metrics == config_.metrics)) restart.emplace_back("metrics");
  if (!(next.sandbox == config_.sandbox)) restart.emplace_back("sandbox");
  // What runs on with its old value is compared with that the next time.
  next.server.listen = server.listen;
  next.server.threads = server.threads;
  next.server.pin_threads = server.pin_threads;
  next.server.receive_buffer = server.receive_buffer;
  next.rrl.table_size = config_.rrl.table_size;
  next.tcp.threads = config_.tcp.threads;
  next.tls.threads = config_.tls.threads;
  next.tls.listen = config_.tls.listen;
  next.tls.resumption = config_.tls.resumption;
  next.accounting = config_.accounting;
  next.snapshot = config_.snapshot;
  next.control = config_.control;
  next.metrics = config_.metrics;
  next.sandbox = config_.sandbox;
  return restart;
}

// All or nothing.
Result<void> Daemon::take_settings(const config::DnsdConfig& next) {
  TRY(query_log_->open(next.query_log, next.server.identity));
  Result<void> done = key_keeper_->reconfigure(next.dnssec);
  if (done.ok()) done = keeper_->reconfigure(next);
  if (done.ok()) return {};
  for (const auto& back : {key_keeper_->reconfigure(config_.dnssec),
                           query_log_->open(config_.query_log, config_.server.identity)}) {
    if (!back.ok()) logger_.error("{}", back.error().text());
  }
  return done;
}

Result<json::object> Daemon::reload() {
  TRY(succession_.must_hold("reload"));
  config::DnsdConfig next = TRY(config::load_again(config::dnsd_schema(), config_path_));
  json::array restart = keep_unchangeable(next);
  const std::vector<std::string> missing =
      sys::given_up(kept_, sandbox_needs(next, config_path_), config_.sandbox);
  TRY(frontend_->prepare(next));
  TRY(take_settings(next));
  frontend_->reconfigure(next);
  signing_->take_options(signing_options(next.dnssec));
  if (!(next.transfer == config_.transfer)) TRY(start_notifier(next.transfer));
  logger_.set_level(next.log_level);
  config_ = std::move(next);
  json::object out;
  out["needs_restart"] = net::tell_restarts(std::move(restart), missing, logger_);
  logger_.info("configuration reloaded");
  return out;
}

void Daemon::run() {
  watchdog_.start();
  sys::notify_ready("running");
  logger_.info("ready");
  reactor_.run();
  if (succession_.left()) {
    // Connections that began here end here.
    frontend_->drain();
    return;
  }
  sys::notify_stopping();
  logger_.info("stopping");
}

}  // namespace timepool::dnsd
