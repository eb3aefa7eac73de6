#include "dnsd/frontend.h"

#include <algorithm>

#include "sys/udp_socket.h"

namespace timepool::dnsd {
namespace {

constexpr std::uint16_t kDnsPort = 53;
// Queries are short; what is longer than any sound one is cut and counted.
constexpr std::size_t kMaxUdpQuery = 2048;
constexpr std::size_t kMaxUdpReply = 4096;

net::UdpServerOptions options_of(const config::DnsdServerConfig& config) {
  net::UdpServerOptions out;
  out.listen = config.listen;
  if (out.listen.empty()) {
    out.listen.push_back({IpAddress::any(IpFamily::kV4), kDnsPort, 0});
    if (sys::make_socket(AF_INET6, SOCK_DGRAM).ok()) {
      out.listen.push_back({IpAddress::any(IpFamily::kV6), kDnsPort, 0});
    }
  }
  out.threads = config.threads;
  out.pin_threads = config.pin_threads;
  out.receive_buffer = static_cast<int>(config.receive_buffer);
  out.rx_timestamps = false;
  out.max_request = kMaxUdpQuery;
  out.max_reply = kMaxUdpReply;
  return out;
}

}  // namespace

Result<std::unique_ptr<Frontend>> Frontend::start(net::Reactor& reactor,
                                                  const config::DnsdConfig& config,
                                                  net::Published<Serving>& serving) {
  const net::UdpServerOptions options = options_of(config.server);
  const bool chosen = std::any_of(options.listen.begin(), options.listen.end(),
                                  [](const Endpoint& e) { return e.port == 0; });
  // A port that the system found free for UDP may be taken for TCP.
  constexpr int kMaxTries = 16;
  for (int tried = 1;; ++tried) {
    std::unique_ptr<Frontend> out(new Frontend(serving));
    out->udp_ = TRY(net::UdpServer<QueryHandler>::start(reactor, options, [&](unsigned) {
      return std::make_unique<QueryHandler>(serving, config.rrl.table_size);
    }));
    auto tcp = TcpServer::start(reactor, out->udp_->addresses(), config.tcp, out->tcp_handler_);
    if (tcp.ok()) {
      out->tcp_ = std::move(tcp).value();
      return out;
    }
    if (!chosen || tried == kMaxTries) return fail(tcp.error());
  }
}

QueryCounts Frontend::udp_queries() const {
  QueryCounts out;
  for (std::size_t i = 0; i < udp_->worker_count(); ++i) out.add(udp_->handler(i).counts());
  return out;
}

}  // namespace timepool::dnsd
