// Broadcaster: sends this server's time to the networks of [[broadcast]], while there is time to
// tell and the key to prove it. Main thread only.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "config/ntpd_modes.h"
#include "net/reactor.h"
#include "ntp/server/server_state.h"
#include "ntp/server/symmetric_key.h"
#include "sys/log.h"
#include "sys/udp_socket.h"

namespace timepool::ntpd {

class Broadcaster {
 public:
  using Announced = std::function<ntp::ServerState()>;

  // What was sent to one network.
  struct Network {
    config::NtpBroadcastConfig config;
    sys::UdpSocket socket;
    net::Timer timer;
    std::uint64_t sent = 0;
    std::uint64_t unsent = 0;  // for want of time, of the key, or of a way
    bool told = false;         // why, in the log
  };

  // `served`: where this server answers; broadcasts leave from its port. An error names the
  // setting.
  static Result<std::unique_ptr<Broadcaster>> start(
      net::Reactor& reactor, sys::Logger& logger,
      const std::vector<config::NtpBroadcastConfig>& configs, const std::vector<Endpoint>& served,
      Announced announced);

  // Null: none, and nothing is sent.
  void set_keys(std::shared_ptr<const ntp::KeyRing> keys) { keys_ = std::move(keys); }
  const std::vector<std::unique_ptr<Network>>& networks() const { return networks_; }

 private:
  Broadcaster(net::Reactor& reactor, sys::Logger& logger, Announced announced)
      : reactor_(reactor), logger_(logger), announced_(std::move(announced)) {}
  void begin(std::unique_ptr<Network> network);
  void send(Network& network);
  // Empty when it was sent.
  std::string try_to_send(Network& network);

  net::Reactor& reactor_;
  sys::Logger& logger_;
  Announced announced_;
  std::shared_ptr<const ntp::KeyRing> keys_;
  std::vector<std::unique_ptr<Network>> networks_;
};

}  // namespace timepool::ntpd
