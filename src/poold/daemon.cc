#include "poold/daemon.h"

#include <poll.h>

#include <csignal>

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

}  // namespace

Result<std::unique_ptr<Daemon>> Daemon::create(config::PooldConfig settings,
                                               std::string config_path, sys::Logger& log) {
  std::unique_ptr<Daemon> out(new Daemon(std::move(settings), std::move(config_path), log));
  const config::PooldConfig& config = out->config_;
  log.set_level(config.log_level);
  sys::ignore_sigpipe();
  TRY(sys::catch_signal(SIGTERM));
  TRY(sys::catch_signal(SIGINT));
  TRY(sys::catch_signal(SIGHUP));
  out->place_->store(std::make_shared<const Geography>(TRY(Geography::open(config.geoip))));
  crypto::SigningKey key = TRY(load_or_create_key(config.publish.key_file));
  std::string token = TRY(load_or_create_token(config.admin.token_file, "[admin] token_file"));
  std::string dns_token;
  if (!config.dns.token_file.empty()) {
    dns_token = TRY(load_or_create_token(config.dns.token_file, "[dns] token_file"));
  }
  auto db = TRY(store::open_sqlite(store_options(config)));

  service::ManagerParts parts;
  parts.country_of = [place = out->place_](const IpAddress& address) {
    return place->load()->country_of(address);
  };
  parts.asn_of = [place = out->place_](const IpAddress& address) {
    return place->load()->asn_of(address);
  };
  parts.unix_now = sys::unix_now;
  parts.mono_now = sys::mono_now;
  parts.seed = sys::random_u64();
  out->manager_ = TRY(service::Manager::create(std::move(db), service::settings_of(config),
                                               std::move(key), std::move(parts), log));
  out->housekeeping_ = std::make_unique<service::Housekeeping>(
      out->manager_->db(), out->manager_->settings(), sys::unix_now, log);
  TRY(out->start_server(config.http, std::move(token), std::move(dns_token)));
  return out;
}

Result<void> Daemon::start_server(const config::PooldConfig::Http& config, std::string admin_token,
                                  std::string dns_token) {
  net::HttpRouter router;
  web::add_api_routes(router, *manager_, admin_token, slot_);
  web::add_handed_out_routes(router, *manager_, std::move(dns_token));
  web::add_page_routes(router, *manager_, std::move(admin_token));
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

Result<void> Daemon::reload() {
  auto read = config::load(config::poold_schema(), config_path_);
  if (!read.ok()) {
    return fail(Error{ErrorCode::kInvalid, "reload", config::format(read.error())});
  }
  config::PooldConfig next = std::move(read).value();
  auto geography = std::make_shared<const Geography>(TRY(Geography::open(next.geoip)));
  place_->store(std::move(geography));
  log_.set_level(next.log_level);
  config_.geoip = next.geoip;
  config_.log_level = next.log_level;
  const std::pair<const char*, bool> fixed[] = {
      {"http", next.http != config_.http},
      {"store", next.store != config_.store},
      {"admin", next.admin != config_.admin},
      {"dns", next.dns != config_.dns},
      {"servers", next.servers != config_.servers},
      {"monitors", next.monitors != config_.monitors},
      {"scoring", next.scoring != config_.scoring},
      {"publish", next.publish != config_.publish},
      {"zones", next.zones != config_.zones},
      {"selection", next.selection != config_.selection},
      {"nts", next.nts != config_.nts},
  };
  for (const auto& [table, changed] : fixed) {
    if (changed) log_.warning("[{}] changed: that needs a restart", table);
  }
  log_.info("configuration reloaded");
  return {};
}

void Daemon::run() {
  for (const Endpoint& endpoint : server_->endpoints()) {
    log_.info("listening on http://{}", format(endpoint));
  }
  log_.info("ready: timepool-poold {}, zone {}", sys::version(), manager_->settings().zone.name);
  sys::notify_ready("serving");
  while (!sys::take_signal(SIGTERM) && !sys::take_signal(SIGINT)) {
    ::poll(nullptr, 0, kLookForSignalsMs);
    if (sys::take_signal(SIGHUP)) {
      if (const auto result = reload(); !result.ok()) {
        log_.error("{}; the configuration stays as it was", result.error().text());
      }
    }
    if (sys::watchdog_interval() > Duration()) sys::notify_watchdog();
  }
  sys::notify_stopping();
  log_.info("stopping");
}

}  // namespace timepool::poold
