// ClientLinks: the sockets of the client, connected, so that the system drops what comes from
// anybody else (RFC 8633 5.1), with the best timestamps that there are: a fresh one for each
// request to a server (RFC 9109), and one for as long as it lasts to a peer, on the port where this
// machine serves: what the peer sends comes there and not to the server's sockets. Main thread
// only.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "config/ntpd.h"
#include "net/reactor.h"
#include "ntp/outbox.h"
#include "ntp/timestamp.h"
#include "ntpd/hardware_timestamps.h"
#include "sys/log.h"
#include "sys/udp_socket.h"

namespace timepool::ntpd {

// A datagram that came to an association's socket. Times are the system clock's.
struct Arrival {
  Endpoint from;
  UnixTime received;
  ntp::StampSource source = ntp::StampSource::kProgram;
  Duration error;
  Bytes bytes;
};

class ClientLinks {
 public:
  // What is told of the sockets. `sent` in system time. `done` follows on any number of `received`
  // of one association; only then links may be closed and opened.
  struct Handlers {
    std::function<void(ntp::AssociationId, const ntp::TransmitStamp&)> sent;
    std::function<void(ntp::AssociationId, const Arrival&)> received;
    std::function<void()> done;
  };

  ClientLinks(net::Reactor& reactor, sys::Logger& logger, const config::NtpSourcesConfig& config,
              RawMapping mapping, Handlers handlers);

  // Where this machine serves: the ports of peers' sockets.
  void set_served(std::vector<Endpoint> endpoints) { served_ = std::move(endpoints); }
  // Closes what the association had and sends from a new socket; to a peer from the one it has.
  Result<void> send(const ntp::SendAction& action);
  void close(ntp::AssociationId association) { links_.erase(association); }
  // Peers' sockets are made anew with the next packet: the address that they leave from may be
  // gone.
  void close_held();
  // Where its last request was sent from; empty when there is no socket now.
  std::optional<Endpoint> local_address(ntp::AssociationId association) const;

 private:
  struct Link {
    sys::UdpSocket socket;
    net::Watch watch;
    net::Timer release;  // while a reply waits for its request's time of sending
    std::optional<UnixTime> device_sent;
    std::optional<std::uint32_t> interface;  // by which replies come
    bool held = false;
    bool told = false;  // the device has told when the request left
    bool waited = false;
  };

  sys::UdpOptions options_for(const ntp::SendAction& action) const;
  bool send_again(const ntp::SendAction& action);
  void on_ready(ntp::AssociationId association, short ready);
  void take_transmit_times(ntp::AssociationId association, Link& link);
  void tell_device_sent(ntp::AssociationId association, Link& link);
  bool hold(ntp::AssociationId association, Link& link);
  void receive(ntp::AssociationId association, Link& link);
  Arrival arrival_of(const sys::Datagram& datagram, Bytes bytes);

  net::Reactor& reactor_;
  sys::Logger& logger_;
  config::NtpSourcesConfig config_;
  Handlers handlers_;
  std::vector<Endpoint> served_;
  HardwareTimestamps hardware_;
  sys::Fd timestamps_;  // keeps the kernel's receive timestamps on between requests
  std::map<ntp::AssociationId, Link> links_;
  int waited_in_vain_ = 0;
};

}  // namespace timepool::ntpd
