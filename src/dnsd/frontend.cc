#include "dnsd/frontend.h"

#include <unistd.h>

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "sys/clock.h"
#include "sys/descriptor_limit.h"
#include "sys/udp_socket.h"

namespace timepool::dnsd {
namespace {

constexpr std::uint16_t kDnsPort = 53;
// Queries are short; what is longer than any sound one is cut and counted.
constexpr std::size_t kMaxUdpQuery = 2048;
constexpr std::size_t kMaxUdpReply = 4096;
// A client that comes often has one for its next connection.
constexpr unsigned kTickets = 1;

net::UdpServerOptions udp_options(const config::DnsdServerConfig& config) {
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

net::TlsServerOptions tls_options(const config::DnsdTlsConfig& config) {
  net::TlsServerOptions out;
  out.protocol = std::string(net::kDnsOverTlsProtocol);
  out.protocol_required = false;
  out.tickets = config.resumption ? kTickets : 0;
  return out;
}

// Connections of each transport that descriptors allow, in proportion.
struct Share {
  std::size_t tcp = 1;
  std::size_t tls = 1;
};
Share share_descriptors(const config::DnsdConfig& config, int newest) {
  const std::size_t tcp = config.tcp.max_connections;
  const std::size_t tls = config.tls.listen.empty() ? 0 : config.tls.max_connections;
  const std::size_t threads = config.tcp.threads + config.tls.threads;
  const std::size_t reserved =
      Frontend::kReservedDescriptors + 2 * threads + config.tls.listen.size();
  const std::size_t all = sys::descriptors_for(tcp + tls, newest, reserved);
  const std::size_t of_tcp = all * tcp / (tcp + tls);
  return {std::max<std::size_t>(of_tcp, 1), std::max<std::size_t>(all - of_tcp, 1)};
}

}  // namespace

Frontend::Frontend(net::Reactor& reactor, sys::Logger& logger, const config::DnsdConfig& config,
                   net::Published<Serving>& serving, QueryLog& log)
    : reactor_(reactor),
      logger_(logger),
      served_(serving),
      log_(log),
      certificates_(logger, "[tls] certificate", tls_options(config.tls)) {}

Result<std::unique_ptr<Frontend>> Frontend::create(net::Reactor& reactor, sys::Logger& logger,
                                                   const config::DnsdConfig& config,
                                                   net::Published<Serving>& serving, QueryLog& log,
                                                   net::InheritedSockets& inherited) {
  std::unique_ptr<Frontend> out(new Frontend(reactor, logger, config, serving, log));
  TRY(out->bind_plain(config, inherited));
  if (!config.tls.listen.empty()) TRY(out->bind_tls(config, inherited));
  inherited.drop_listeners();
  return out;
}

// Limits on answers are for UDP alone: who has a connection is who it says.
StreamServer::MakeHandler Frontend::of_streams(std::size_t first_lane) {
  return [this, lane = first_lane]() mutable {
    return std::make_unique<QueryHandler>(served_, HandlerPlace{lane++, 0}, &log_);
  };
}

Result<void> Frontend::bind_plain(const config::DnsdConfig& config,
                                  net::InheritedSockets& inherited) {
  net::UdpServerOptions options = udp_options(config.server);
  const bool chosen = std::any_of(options.listen.begin(), options.listen.end(),
                                  [](const Endpoint& e) { return e.port == 0; });
  options.inherited = &inherited;
  // A port that the system found free for UDP may be taken for TCP.
  constexpr int kMaxTries = 16;
  for (int tried = 1;; ++tried) {
    udp_ = TRY(net::UdpServer<QueryHandler>::create(reactor_, options, [&](unsigned index) {
      return std::make_unique<QueryHandler>(served_, HandlerPlace{index, config.rrl.table_size},
                                            &log_);
    }));
    StreamServerOptions streams;
    streams.listen = udp_->addresses();
    streams.transport = "TCP";
    streams.setting = "[server] listen";
    streams.pin_threads = config.server.pin_threads;
    streams.inherited = &inherited;
    streams.most = share_descriptors(config, udp_->descriptors().back()).tcp;
    auto tcp =
        StreamServer::create(config.tcp, std::move(streams), of_streams(first_tcp_lane(config)));
    if (tcp.ok()) {
      tcp_ = std::move(tcp).value();
      if (tcp_->limit() < config.tcp.max_connections) {
        logger_.warning("[tcp] max_connections: {} at the most, for want of descriptors",
                        tcp_->limit());
      }
      return {};
    }
    if (!chosen || tried == kMaxTries) return fail(tcp.error());
  }
}

Result<void> Frontend::bind_tls(const config::DnsdConfig& config,
                                net::InheritedSockets& inherited) {
  TRY(certificates_.load(config.tls.certificates, sys::unix_now()));
  tls_source_.set(certificates_.context());
  StreamServerOptions streams;
  streams.listen = config.tls.listen;
  streams.transport = "TLS";
  streams.setting = "[tls] listen";
  streams.pin_threads = config.server.pin_threads;
  streams.inherited = &inherited;
  streams.most = share_descriptors(config, udp_->descriptors().back()).tls;
  streams.tls = &tls_source_;
  tls_ = TRY(StreamServer::create(config.tls, std::move(streams),
                                  of_streams(first_tcp_lane(config) + config.tcp.threads)));
  if (tls_->limit() < config.tls.max_connections) {
    logger_.warning("[tls] max_connections: {} at the most, for want of descriptors",
                    tls_->limit());
  }
  return {};
}

Result<void> Frontend::begin() {
  CHECK(!serving_);
  TRY(udp_->begin());
  tcp_->begin();
  if (tls_) {
    tls_->begin();
    watch_certificates();
  }
  serving_ = true;
  return {};
}

void Frontend::stop() {
  if (!serving_) return;
  serving_ = false;
  look_timer_.cancel();
  udp_->stop();
  tcp_->stop();
  if (tls_) tls_->stop();
}

void Frontend::drain() {
  tcp_->begin_drain();
  if (tls_) tls_->begin_drain();
  const MonoTime until = sys::mono_now() + kLongestDrain;
  while (!(tcp_->drained() && (!tls_ || tls_->drained())) && sys::mono_now() < until) {
    ::usleep(10'000);
  }
}

Result<void> Frontend::prepare(const config::DnsdConfig& config) {
  if (!tls_) return {};
  return certificates_.load(config.tls.certificates, sys::unix_now());
}

void Frontend::reconfigure(const config::DnsdConfig& config) {
  tcp_->reconfigure(config.tcp);
  if (!tls_) return;
  tls_source_.set(certificates_.context());
  tls_->reconfigure(config.tls);
}

void Frontend::watch_certificates() {
  look_timer_ = reactor_.at(sys::mono_now() + kLookInterval, [this] {
    if (certificates_.look(sys::unix_now())) tls_source_.set(certificates_.context());
    watch_certificates();
  });
}

std::vector<Endpoint> Frontend::tls_addresses() const {
  return tls_ ? tls_->addresses() : std::vector<Endpoint>();
}

std::vector<int> Frontend::descriptors() const {
  std::vector<int> out = udp_->descriptors();
  out.insert(out.end(), tcp_->descriptors().begin(), tcp_->descriptors().end());
  if (tls_) out.insert(out.end(), tls_->descriptors().begin(), tls_->descriptors().end());
  return out;
}

QueryCounts Frontend::udp_queries() const {
  QueryCounts out;
  for (std::size_t i = 0; i < udp_->worker_count(); ++i) out.add(udp_->handler(i).counts());
  return out;
}

}  // namespace timepool::dnsd
