// SnapshotRelay: hands the snapshot that this server holds on to others, by the manager's own
// protocol (snapshot/snapshot_feed.h). They need not trust it: they verify the manager's signature.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/ip.h"
#include "base/result.h"
#include "net/http_server.h"
#include "snapshot/snapshot_feed.h"
#include "sys/log.h"

namespace timepool::dnsd {

class SnapshotRelay {
 public:
  // Errors: the address that can't be bound, naming [snapshot] relay.
  static Result<std::unique_ptr<SnapshotRelay>> start(const Endpoint& listen, sys::Logger& logger);

  // `file` is the snapshot as it was sealed. Any thread.
  void publish(std::uint64_t serial, std::string file);
  std::vector<Endpoint> endpoints() const { return server_->endpoints(); }
  net::HttpServerCounters counters() const { return server_->counters(); }

 private:
  SnapshotRelay() = default;

  snapshot::SnapshotFeed feed_{{"dns"}};  // outlives the server
  std::unique_ptr<net::HttpServer> server_;
};

}  // namespace timepool::dnsd
