// timepool-poold: the manager with its database, its HTTP server and its housekeeping.
#pragma once

#include <memory>
#include <vector>

#include "base/ip.h"
#include "config/poold.h"
#include "net/http_server.h"
#include "service/housekeeping.h"
#include "service/manager.h"
#include "sys/log.h"
#include "web/api.h"

namespace timepool::poold {

class Daemon {
 public:
  // Opens everything and serves. Errors name the setting.
  static Result<std::unique_ptr<Daemon>> create(const config::PooldConfig& config,
                                                sys::Logger& log);
  ~Daemon();
  Daemon(const Daemon&) = delete;
  Daemon& operator=(const Daemon&) = delete;

  // Until SIGTERM or SIGINT.
  void run();
  // The bound addresses.
  std::vector<Endpoint> endpoints() const { return server_->endpoints(); }

 private:
  explicit Daemon(sys::Logger& log) : log_(log) {}
  Result<void> start_server(const config::PooldConfig::Http& config, std::string admin_token);

  sys::Logger& log_;
  std::unique_ptr<service::Manager> manager_;
  std::unique_ptr<service::Housekeeping> housekeeping_;
  web::ServerSlot slot_ = std::make_shared<std::atomic<const net::HttpServer*>>(nullptr);
  std::unique_ptr<net::HttpServer> server_;
};

}  // namespace timepool::poold
