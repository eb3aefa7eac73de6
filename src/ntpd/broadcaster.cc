#include "ntpd/broadcaster.h"

#include <algorithm>
#include <utility>

#include "ntp/server/broadcast.h"
#include "sys/clock.h"

namespace timepool::ntpd {
namespace {

// Bound to its interface and connected to its network: nobody's requests come to it.
Result<sys::UdpSocket> open(const config::NtpBroadcastConfig& config,
                            const std::vector<Endpoint>& served) {
  const IpFamily family = config.address.family();
  sys::UdpOptions options;
  options.reuse_port = true;
  options.interface = config.interface;
  options.broadcast = true;
  options.hops = config.hops;
  options.local.port = wire::ntp::kNtpPort;
  const auto found = std::find_if(served.begin(), served.end(), [family](const Endpoint& at) {
    return at.address.family() == family;
  });
  if (found != served.end()) {
    options.local.port = found->port;
    if (!found->address.is_unspecified()) options.local.address = found->address;
  }
  Result<sys::UdpSocket> out = sys::UdpSocket::connect({config.address, config.port, 0}, options);
  if (out.ok()) return out;
  Error error = out.error();
  error.operation = "[[broadcast]]: " + error.operation;
  return fail(std::move(error));
}

}  // namespace

Result<std::unique_ptr<Broadcaster>> Broadcaster::start(
    net::Reactor& reactor, sys::Logger& logger,
    const std::vector<config::NtpBroadcastConfig>& configs, const std::vector<Endpoint>& served,
    Announced announced) {
  std::unique_ptr<Broadcaster> out(new Broadcaster(reactor, logger, std::move(announced)));
  for (const config::NtpBroadcastConfig& config : configs) {
    sys::UdpSocket socket = TRY(open(config, served));
    logger.info("broadcasting to {} on {}", format(Endpoint{config.address, config.port, 0}),
                config.interface);
    out->begin(std::make_unique<Network>(Network{config, std::move(socket), {}, 0, 0, false}));
  }
  return out;
}

void Broadcaster::begin(std::unique_ptr<Network> network) {
  Network& it = *network;
  networks_.push_back(std::move(network));
  it.timer = reactor_.at(sys::mono_now(), [this, &it] { send(it); });
}

std::string Broadcaster::try_to_send(Network& network) {
  const ntp::SymmetricKey* key = keys_ != nullptr ? keys_->find(network.config.key) : nullptr;
  if (key == nullptr) return "there is no key " + std::to_string(network.config.key);
  const ntp::ServerState state = announced_();
  std::array<std::byte, ntp::kMaxBroadcastSize> buffer;
  ByteWriter writer(buffer);
  const auto poll = static_cast<std::int8_t>(network.config.interval);
  if (!write_broadcast(state, sys::unix_now(), poll, *key, writer)) {
    return "the clock is not synchronised";
  }
  const Result<void> sent = network.socket.send(writer.written());
  return sent.ok() ? "" : sent.error().text();
}

void Broadcaster::send(Network& network) {
  const std::string why = try_to_send(network);
  ++(why.empty() ? network.sent : network.unsent);
  if (!why.empty() && !network.told) {
    logger_.warning("nothing is broadcast on {}: {}", network.config.interface, why);
  } else if (why.empty() && network.told) {
    logger_.info("broadcasting on {} again", network.config.interface);
  }
  network.told = !why.empty();
  network.timer =
      reactor_.at(sys::mono_now() + Duration::seconds(std::int64_t{1} << network.config.interval),
                  [this, &network] { send(network); });
}

}  // namespace timepool::ntpd
