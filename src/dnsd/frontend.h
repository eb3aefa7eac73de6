// Frontend: the sockets of timepool-dnsd: UDP workers and TCP connections on the same addresses.
// Main thread only, but the counts.
#pragma once

#include <memory>
#include <vector>

#include "config/dnsd.h"
#include "dnsd/query_handler.h"
#include "dnsd/tcp_server.h"
#include "net/reactor.h"
#include "net/udp_worker.h"

namespace timepool::dnsd {

class Frontend {
 public:
  // Binds every address by UDP and TCP. A port 0 becomes one port for both. Errors: the address,
  // naming [server] listen.
  static Result<std::unique_ptr<Frontend>> start(net::Reactor& reactor,
                                                 const config::DnsdConfig& config,
                                                 net::Published<Serving>& serving);

  void reconfigure(const config::DnsdTcpConfig& config) { tcp_->reconfigure(config); }
  std::vector<Endpoint> addresses() const { return udp_->addresses(); }
  // These from any thread.
  QueryCounts udp_queries() const;
  QueryCounts tcp_queries() const { return tcp_handler_.counts(); }
  net::UdpTotals udp_totals() const { return udp_->totals(); }
  TcpCounts tcp_counts() const { return tcp_->counts(); }

 private:
  explicit Frontend(net::Published<Serving>& serving) : tcp_handler_(serving, 0) {}

  QueryHandler tcp_handler_;
  std::unique_ptr<net::UdpServer<QueryHandler>> udp_;
  std::unique_ptr<TcpServer> tcp_;
};

}  // namespace timepool::dnsd
