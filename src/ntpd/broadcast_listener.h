// BroadcastListener: the sockets of [[broadcast_client]]. Each is bound to its interface and to the
// broadcast addresses there, or to its group: nobody's requests come to it, and other sockets on
// its port get them. What it can't listen on is logged, and tried again when the network changes.
// Main thread only.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "config/ntpd_modes.h"
#include "net/reactor.h"
#include "ntpd/client_links.h"
#include "sys/log.h"
#include "sys/network_interface.h"
#include "sys/udp_socket.h"

namespace timepool::ntpd {

class BroadcastListener {
 public:
  struct Handlers {
    // The name of the setting (config::name_of), and what came there. Times are the system clock's.
    std::function<void(const std::string&, const Arrival&)> received;
    // Follows on any number of `received`.
    std::function<void()> done;
  };

  BroadcastListener(net::Reactor& reactor, sys::Logger& logger,
                    const std::vector<config::NtpBroadcastClientConfig>& configs,
                    Handlers handlers);

  // Opens what is not open, and anew where the interface is another or has other addresses. Not
  // while a handler runs.
  void refresh();

 private:
  struct Ear {
    sys::UdpSocket socket;
    net::Watch watch;
  };
  struct Network {
    config::NtpBroadcastClientConfig config;
    std::string name;
    sys::NetworkInterface interface;
    std::vector<Ear> ears;
    std::string fault;  // why it is not open, as it was last logged
  };

  Result<void> open(Network& network);
  void listen(Network& network, sys::UdpSocket socket);
  void receive(const Network& network, sys::UdpSocket& socket);

  net::Reactor& reactor_;
  sys::Logger& logger_;
  Handlers handlers_;
  std::vector<Network> networks_;
};

}  // namespace timepool::ntpd
