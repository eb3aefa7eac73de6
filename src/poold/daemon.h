// timepool-poold: the manager with its database, its HTTP server and its housekeeping.
#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include "base/ip.h"
#include "config/poold.h"
#include "net/http_server.h"
#include "poold/geography.h"
#include "service/housekeeping.h"
#include "service/manager.h"
#include "sys/log.h"
#include "web/api.h"

namespace timepool::poold {

class Daemon {
 public:
  // Opens everything and serves. Errors name the setting. reload() reads `config_path` again.
  static Result<std::unique_ptr<Daemon>> create(config::PooldConfig config, std::string config_path,
                                                sys::Logger& log);
  ~Daemon();
  Daemon(const Daemon&) = delete;
  Daemon& operator=(const Daemon&) = delete;

  // Until SIGTERM or SIGINT; SIGHUP reloads.
  void run();
  // Takes in [geoip] (also files that changed under the same name) and log_level of the
  // configuration file; says which other settings changed, which need a restart. An error changes
  // nothing.
  Result<void> reload();
  // The bound addresses.
  std::vector<Endpoint> endpoints() const { return server_->endpoints(); }

 private:
  // Where servers are, replaced as a whole; read from the HTTP workers.
  using Place = std::atomic<std::shared_ptr<const Geography>>;

  Daemon(config::PooldConfig config, std::string config_path, sys::Logger& log)
      : config_(std::move(config)), config_path_(std::move(config_path)), log_(log) {}
  Result<void> start_server(const config::PooldConfig::Http& config, std::string admin_token,
                            std::string dns_token);

  config::PooldConfig config_;
  std::string config_path_;
  sys::Logger& log_;
  std::shared_ptr<Place> place_ = std::make_shared<Place>();
  std::unique_ptr<service::Manager> manager_;
  std::unique_ptr<service::Housekeeping> housekeeping_;
  web::ServerSlot slot_ = std::make_shared<std::atomic<const net::HttpServer*>>(nullptr);
  std::unique_ptr<net::HttpServer> server_;
};

}  // namespace timepool::poold
