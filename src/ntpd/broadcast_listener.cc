#include "ntpd/broadcast_listener.h"

#include <poll.h>

#include <array>
#include <utility>

namespace timepool::ntpd {
namespace {

// Datagrams taken from one socket before others get their turn.
constexpr int kMaxDatagrams = 16;
// What is longer comes truncated and is judged by what there is.
constexpr std::size_t kMaxBroadcast = 2048;

// IPv4 broadcasts go to an address of their network or to that of all networks.
std::vector<Endpoint> places(const config::NtpBroadcastClientConfig& config,
                             const sys::NetworkInterface& interface) {
  if (config.group) {
    const bool scoped = !config.group->is_v4();
    return {{*config.group, config.port, scoped ? interface.index : 0}};
  }
  std::vector<Endpoint> out{{IpAddress::v4(0xffff'ffff), config.port, 0}};
  for (const IpAddress& address : interface.broadcasts) out.push_back({address, config.port, 0});
  return out;
}

}  // namespace

BroadcastListener::BroadcastListener(net::Reactor& reactor, sys::Logger& logger,
                                     const std::vector<config::NtpBroadcastClientConfig>& configs,
                                     Handlers handlers)
    : reactor_(reactor), logger_(logger), handlers_(std::move(handlers)) {
  for (const config::NtpBroadcastClientConfig& config : configs) {
    Network network;
    network.config = config;
    network.name = name_of(config);
    networks_.push_back(std::move(network));
  }
}

void BroadcastListener::refresh() {
  for (Network& network : networks_) {
    const Result<void> opened = open(network);
    const std::string fault = opened.ok() ? "" : opened.error().text();
    if (!fault.empty() && fault != network.fault) {
      logger_.error("[[broadcast_client]]: nothing is heard of {}: {}", network.name, fault);
    }
    network.fault = fault;
  }
}

Result<void> BroadcastListener::open(Network& network) {
  Result<sys::NetworkInterface> found = sys::network_interface(network.config.interface);
  if (found.ok() && !network.ears.empty() && *found == network.interface) return {};
  network.ears.clear();
  network.interface = TRY(std::move(found));
  sys::UdpOptions options;
  options.reuse_port = true;
  options.rx_timestamps = true;
  options.interface = network.config.interface;
  Error first;
  for (const Endpoint& place : places(network.config, network.interface)) {
    Result<sys::UdpSocket> socket = sys::UdpSocket::bind(place, options);
    if (socket.ok() && network.config.group) {
      const Result<void> joined = socket->join(*network.config.group, network.interface.index);
      if (!joined.ok()) socket = fail(joined.error());
    }
    if (socket.ok()) {
      listen(network, std::move(socket).value());
    } else if (first.operation.empty()) {
      first = socket.error();
    }
  }
  // A network that has no broadcast address in spite of its size is left out.
  if (network.ears.empty()) return fail(std::move(first));
  logger_.info("listening for broadcasts: {}, port {}", network.name, network.config.port);
  return {};
}

void BroadcastListener::listen(Network& network, sys::UdpSocket socket) {
  const int fd = socket.fd();
  const auto index = static_cast<std::size_t>(&network - networks_.data());
  net::Watch watch = reactor_.watch(fd, POLLIN, [this, index, fd](short) {
    for (Ear& ear : networks_[index].ears) {
      if (ear.socket.fd() == fd) return receive(networks_[index], ear.socket);
    }
  });
  network.ears.push_back({std::move(socket), std::move(watch)});
}

void BroadcastListener::receive(const Network& network, sys::UdpSocket& socket) {
  std::array<std::byte, kMaxBroadcast> buffer;
  for (int i = 0; i < kMaxDatagrams; ++i) {
    const Result<std::optional<sys::Datagram>> got = socket.receive(buffer);
    if (!got.ok()) {
      logger_.debug("{}: {}", network.name, got.error().text());
      break;
    }
    if (!got->has_value()) break;
    const sys::Datagram& datagram = **got;
    Arrival arrival;
    arrival.from = datagram.from;
    arrival.received = datagram.received;
    if (datagram.kernel_timestamp) arrival.source = ntp::StampSource::kKernel;
    arrival.bytes = Bytes(buffer).first(datagram.length);
    handlers_.received(network.name, arrival);
  }
  handlers_.done();
}

}  // namespace timepool::ntpd
