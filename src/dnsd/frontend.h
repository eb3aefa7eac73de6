// Frontend: all sockets of timepool-dnsd: UDP workers, TCP connections on the same addresses, TLS
// connections on others. Main thread only, but the counts.
#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <vector>

#include "config/dnsd.h"
#include "dnsd/query_handler.h"
#include "dnsd/stream_server.h"
#include "dnsd/tls_source.h"
#include "net/certificate_store.h"
#include "net/inherited_sockets.h"
#include "net/reactor.h"
#include "net/udp_worker.h"
#include "sys/log.h"

namespace timepool::dnsd {

class Frontend {
 public:
  // Descriptors that connections never take: zones, geographic files, snapshots, the control
  // socket, metrics.
  static constexpr std::size_t kReservedDescriptors = 192;
  // How often the files of certificates are looked at.
  static constexpr Duration kLookInterval = Duration::seconds(60);

  // How long drain() waits for connections that are in use.
  static constexpr Duration kLongestDrain = Duration::seconds(10);

  // Binds every address by UDP and TCP, and those of [tls]. A port 0 becomes one port for UDP and
  // TCP. `inherited` has sockets to take instead, or none. Answers from begin() on. Errors: the
  // address, naming its setting, or what is wrong with a certificate.
  // `log` outlives it.
  static Result<std::unique_ptr<Frontend>> create(net::Reactor& reactor, sys::Logger& logger,
                                                  const config::DnsdConfig& config,
                                                  net::Published<Serving>& serving, QueryLog& log,
                                                  net::InheritedSockets& inherited);

  // Threads that answer, of UDP, TCP and TLS in this order.
  static std::size_t lanes(const config::DnsdConfig& config) {
    return first_tcp_lane(config) + config.tcp.threads + config.tls.threads;
  }

  Result<void> begin();
  // Nothing is received or accepted any more, and all waits in the sockets, for begin() or for
  // another process. Connections that have begun are served on.
  void stop();
  // After stop(): until connections are over, or kLongestDrain.
  void drain();
  bool serving() const { return serving_; }

  // Reads the certificates that `config` names. Errors: what is wrong with one; then nothing
  // changes.
  Result<void> prepare(const config::DnsdConfig& config);
  // Takes in limits, idle times, and the certificates that prepare() read.
  void reconfigure(const config::DnsdConfig& config);

  std::vector<Endpoint> addresses() const { return udp_->addresses(); }
  std::vector<Endpoint> tls_addresses() const;
  // Of every socket, in an order that makes their next owner's the same.
  std::vector<int> descriptors() const;
  // Null without [tls] listen.
  const net::CertificateStore* certificates() const { return tls_ ? &certificates_ : nullptr; }
  std::size_t tcp_limit() const { return tcp_->limit(); }
  std::size_t tls_limit() const { return tls_ ? tls_->limit() : 0; }
  // These from any thread.
  QueryCounts udp_queries() const;
  QueryCounts tcp_queries() const { return tcp_->queries(); }
  QueryCounts tls_queries() const { return tls_ ? tls_->queries() : QueryCounts(); }
  net::UdpTotals udp_totals() const { return udp_->totals(); }
  StreamCounts tcp_counts() const { return tcp_->counts(); }
  StreamCounts tls_counts() const { return tls_ ? tls_->counts() : StreamCounts(); }
  bool has_tls() const { return tls_ != nullptr; }

 private:
  Frontend(net::Reactor& reactor, sys::Logger& logger, const config::DnsdConfig& config,
           net::Published<Serving>& serving, QueryLog& log);
  static std::size_t first_tcp_lane(const config::DnsdConfig& config) {
    return std::max(config.server.threads, 1U);
  }
  // Makes handlers of lanes from `first_lane` on.
  StreamServer::MakeHandler of_streams(std::size_t first_lane);
  Result<void> bind_plain(const config::DnsdConfig& config, net::InheritedSockets& inherited);
  Result<void> bind_tls(const config::DnsdConfig& config, net::InheritedSockets& inherited);
  void watch_certificates();

  net::Reactor& reactor_;
  sys::Logger& logger_;
  net::Published<Serving>& served_;
  QueryLog& log_;
  net::CertificateStore certificates_;
  TlsSource tls_source_;
  std::unique_ptr<net::UdpServer<QueryHandler>> udp_;
  std::unique_ptr<StreamServer> tcp_;
  std::unique_ptr<StreamServer> tls_;  // null: not wanted
  net::Timer look_timer_;
  bool serving_ = false;
};

}  // namespace timepool::dnsd
