#include "poold/daemon.h"

#include <poll.h>

#include <csignal>

#include "poold/geography.h"
#include "poold/secret_files.h"
#include "sys/clock.h"
#include "sys/notify.h"
#include "sys/random.h"
#include "sys/signal_flag.h"
#include "sys/version.h"
#include "web/pages.h"

namespace timepool::poold {
namespace {

constexpr int kLookForSignalsMs = 200;

store::SqliteOptions store_options(const config::PooldConfig& config) {
  store::SqliteOptions out;
  out.path = config.store.path;
  out.sync_every_commit = config.store.sync_every_commit;
  out.max_bytes = static_cast<std::uint64_t>(config.store.max_size);
  out.readers = static_cast<int>(config.http.workers) + 2;
  return out;
}

sys::LogLevel log_level(config::PooldConfig::LogLevel level) {
  switch (level) {
    case config::PooldConfig::LogLevel::kError:
      return sys::LogLevel::kError;
    case config::PooldConfig::LogLevel::kWarning:
      return sys::LogLevel::kWarning;
    case config::PooldConfig::LogLevel::kInfo:
      return sys::LogLevel::kInfo;
    case config::PooldConfig::LogLevel::kDebug:
      return sys::LogLevel::kDebug;
  }
  return sys::LogLevel::kInfo;
}

}  // namespace

Result<std::unique_ptr<Daemon>> Daemon::create(const config::PooldConfig& config,
                                               sys::Logger& log) {
  log.set_level(log_level(config.log.level));
  sys::ignore_sigpipe();
  TRY(sys::catch_signal(SIGTERM));
  TRY(sys::catch_signal(SIGINT));
  auto geography = std::make_shared<const Geography>(TRY(Geography::open(config.geoip)));
  crypto::SigningKey key = TRY(load_or_create_key(config.publish.key_file));
  std::string token = TRY(load_or_create_token(config.admin.token_file));
  auto db = TRY(store::open_sqlite(store_options(config)));

  service::ManagerParts parts;
  parts.country_of = [geography](const IpAddress& address) {
    return geography->country_of(address);
  };
  parts.unix_now = sys::unix_now;
  parts.mono_now = sys::mono_now;
  parts.seed = sys::random_u64();
  std::unique_ptr<Daemon> out(new Daemon(log));
  out->manager_ = TRY(service::Manager::create(std::move(db), service::settings_of(config),
                                               std::move(key), std::move(parts), log));
  out->housekeeping_ = std::make_unique<service::Housekeeping>(
      out->manager_->db(), out->manager_->settings(), sys::unix_now, log);
  TRY(out->start_server(config.http, std::move(token)));
  return out;
}

Result<void> Daemon::start_server(const config::PooldConfig::Http& config,
                                  std::string admin_token) {
  net::HttpRouter router;
  web::add_api_routes(router, *manager_, std::move(admin_token), slot_);
  web::add_page_routes(router, *manager_);
  net::HttpServerOptions options;
  for (const Endpoint& endpoint : config.listen) {
    options.listen.push_back({"[http] listen", endpoint, ""});
  }
  options.workers = config.workers;
  options.log = [&log = log_](std::string_view line) { log.error("http: {}", line); };
  server_ = TRY(net::HttpServer::start(std::move(router), std::move(options)));
  slot_->store(server_.get());
  return {};
}

Daemon::~Daemon() {
  if (server_) server_->stop(Duration::seconds(5));
  slot_->store(nullptr);
}

void Daemon::run() {
  for (const Endpoint& endpoint : server_->endpoints()) {
    log_.info("listening on http://{}", format(endpoint));
  }
  log_.info("ready: timepool-poold {}, zone {}", sys::version(), manager_->settings().zone.name);
  sys::notify_ready("serving");
  while (!sys::take_signal(SIGTERM) && !sys::take_signal(SIGINT)) {
    ::poll(nullptr, 0, kLookForSignalsMs);
    if (sys::watchdog_interval() > Duration()) sys::notify_watchdog();
  }
  sys::notify_stopping();
  log_.info("stopping");
}

}  // namespace timepool::poold
