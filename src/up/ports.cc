#include "up/ports.h"

#include <sys/socket.h>

#include <cerrno>

#include "sys/udp_socket.h"

namespace timepool::up {
namespace {

// Ports to try before giving up on one that all addresses and transports have free.
constexpr int kTries = 50;

// Binds and lets go. The port that was bound.
Result<std::uint16_t> probe(const Endpoint& endpoint, int type) {
  const int family = endpoint.address.is_v4() ? AF_INET : AF_INET6;
  const sys::Fd socket = TRY(sys::make_socket(family, type));
  if (type == SOCK_STREAM) {
    // As servers do: a port whose last connection is still in TIME_WAIT is free.
    const int on = 1;
    ::setsockopt(socket.number(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
  }
  sockaddr_storage address{};
  socklen_t size = sys::to_sockaddr(endpoint, address);
  if (::bind(socket.number(), reinterpret_cast<const sockaddr*>(&address), size) != 0) {
    return fail(system_error(errno, "bind " + format(endpoint)));
  }
  size = sizeof(address);
  if (::getsockname(socket.number(), reinterpret_cast<sockaddr*>(&address), &size) != 0) {
    return fail(system_error(errno, "getsockname"));
  }
  return sys::from_sockaddr(address).value().port;
}

Result<void> check(const std::vector<IpAddress>& addresses, std::uint16_t port,
                   Transport transport) {
  for (const IpAddress& address : addresses) {
    if (transport != Transport::kUdp) TRY(probe({address, port}, SOCK_STREAM));
    if (transport != Transport::kTcp) TRY(probe({address, port}, SOCK_DGRAM));
  }
  return {};
}

}  // namespace

Result<std::uint16_t> free_port(const std::vector<IpAddress>& addresses, std::uint16_t wanted,
                                Transport transport, const std::string& option) {
  const int type = transport == Transport::kTcp ? SOCK_STREAM : SOCK_DGRAM;
  if (wanted != 0) {
    auto taken = check(addresses, wanted, transport);
    if (taken.ok()) return wanted;
    taken.error().detail += "; choose another with " + option + " (port 0 takes a free one)";
    return fail(taken.error());
  }
  Error last;
  for (int i = 0; i < kTries; ++i) {
    const auto port = probe({addresses.front(), 0}, type);
    if (!port.ok()) {
      return fail(
          Error{port.error().code, option + ": " + port.error().operation, port.error().detail});
    }
    const auto free = check(addresses, *port, transport);
    if (free.ok()) return *port;
    last = free.error();
  }
  return fail(Error{ErrorCode::kUnavailable, option + " with port 0",
                    "no port is free on every address: " + last.text()});
}

bool has_ipv6_loopback() {
  return probe({parse_ip("::1").value(), 0}, SOCK_DGRAM).ok();
}

}  // namespace timepool::up
