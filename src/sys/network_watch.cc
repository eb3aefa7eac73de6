#include "sys/network_watch.h"

#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <cstddef>

namespace timepool::sys {
namespace {

// Messages taken by one call: a link that comes up brings a few dozen.
constexpr int kMaxMessages = 256;

}  // namespace

Result<NetworkWatch> NetworkWatch::open() {
  Fd socket(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE));
  if (!socket.valid()) return fail(system_error(errno, "open a netlink socket"));
  sockaddr_nl address{};
  address.nl_family = AF_NETLINK;
  address.nl_groups =
      RTMGRP_LINK | RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR | RTMGRP_IPV4_ROUTE | RTMGRP_IPV6_ROUTE;
  if (::bind(socket.number(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    return fail(system_error(errno, "listen for changes of the network"));
  }
  return NetworkWatch(std::move(socket));
}

bool NetworkWatch::changed() {
  std::array<std::byte, 16384> buffer;
  bool any = false;
  for (int i = 0; i < kMaxMessages; ++i) {
    const ssize_t got = ::recv(socket_.number(), buffer.data(), buffer.size(), 0);
    if (got > 0 || (got < 0 && errno == ENOBUFS)) {
      any = true;
    } else if (got == 0 || errno != EINTR) {
      break;
    }
  }
  return any;
}

}  // namespace timepool::sys
