#include "dnsd/snapshot_relay.h"

#include <utility>

namespace timepool::dnsd {

Result<std::unique_ptr<SnapshotRelay>> SnapshotRelay::start(const Endpoint& listen,
                                                            sys::Logger& logger) {
  std::unique_ptr<SnapshotRelay> out(new SnapshotRelay());
  net::HttpRouter router;
  out->feed_.add_routes(router);
  net::HttpServerOptions options;
  options.listen.push_back({"[snapshot] relay", listen, ""});
  // The feed answers on the server's own thread; a worker is there for what is no route.
  options.workers = 1;
  options.limits.body_bytes = 1024;
  options.log = [&logger](std::string_view line) { logger.warning("[snapshot] relay: {}", line); };
  out->server_ = TRY(net::HttpServer::start(std::move(router), std::move(options)));
  return out;
}

void SnapshotRelay::publish(std::uint64_t serial, std::string file) {
  feed_.publish("dns", serial, std::move(file));
}

}  // namespace timepool::dnsd
