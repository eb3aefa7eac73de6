// InheritedSockets: bound UDP sockets, and TCP sockets that listen, that came from systemd or from
// the process that this one takes over from, with what already waits in their queues. A server
// takes those at its addresses instead of binding; of UDP what nobody took is drained and closed.
// One thread.
#pragma once

#include <cstddef>
#include <vector>

#include "base/ip.h"
#include "sys/fd.h"
#include "sys/udp_socket.h"

namespace timepool::net {

class InheritedSockets {
 public:
  // `order`: its place among all; the kernel's choice among the sockets at one address depends on
  // that. False when it is neither a bound UDP socket nor a TCP
  // socket that listens; then it is closed.
  bool add(sys::Fd fd, std::size_t order);

  // Those at `address`, in their order, set up as `options` says. With port 0 those of the first
  // port at that IP address. They are no longer held here. One that is bound to another interface
  // is closed: the address is bound anew.
  std::vector<sys::UdpSocket> take(const Endpoint& address, const sys::UdpOptions& options);
  // The one that listens at `address`, or none. With port 0 the first at that IP address.
  sys::Fd take_listener(const Endpoint& address);
  // Closes the listeners that are left: nobody would accept what comes to them.
  void drop_listeners() { listeners_.clear(); }
  // All of UDP that are left.
  std::vector<sys::UdpSocket> take_rest();
  // Of all that are held, which stay held.
  std::vector<int> descriptors() const;
  bool empty() const { return size() == 0; }
  std::size_t size() const { return held_.size() + listeners_.size(); }

 private:
  struct Held {
    Endpoint local;
    std::size_t order = 0;
    sys::Fd fd;
  };
  std::vector<Held> held_;       // by order
  std::vector<Held> listeners_;  // the same
};

}  // namespace timepool::net
