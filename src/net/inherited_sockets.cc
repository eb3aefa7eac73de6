#include "net/inherited_sockets.h"

#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <optional>
#include <utility>

namespace timepool::net {
namespace {

std::optional<Endpoint> udp_address(int fd) {
  int protocol = 0;
  socklen_t length = sizeof protocol;
  if (::getsockopt(fd, SOL_SOCKET, SO_PROTOCOL, &protocol, &length) < 0 ||
      protocol != IPPROTO_UDP) {
    return std::nullopt;
  }
  sockaddr_storage address{};
  length = sizeof address;
  if (::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &length) < 0) return std::nullopt;
  const std::optional<Endpoint> out = sys::from_sockaddr(address);
  return out && out->port != 0 ? out : std::nullopt;
}

}  // namespace

bool InheritedSockets::add(sys::Fd fd, std::size_t order) {
  const std::optional<Endpoint> local = udp_address(fd.number());
  if (!local) return false;
  const auto at = std::upper_bound(held_.begin(), held_.end(), order,
                                   [](std::size_t a, const Held& b) { return a < b.order; });
  held_.insert(at, Held{*local, order, std::move(fd)});
  return true;
}

std::vector<int> InheritedSockets::descriptors() const {
  std::vector<int> out;
  for (const Held& held : held_) out.push_back(held.fd.number());
  return out;
}

std::vector<sys::UdpSocket> InheritedSockets::take(const Endpoint& address,
                                                   const sys::UdpOptions& options) {
  Endpoint wanted = address;
  std::vector<sys::UdpSocket> out;
  for (auto it = held_.begin(); it != held_.end();) {
    const bool same_host =
        it->local.address == wanted.address && it->local.scope_id == wanted.scope_id;
    if (!same_host || (wanted.port != 0 && it->local.port != wanted.port)) {
      ++it;
      continue;
    }
    wanted.port = it->local.port;
    Result<sys::UdpSocket> socket = sys::UdpSocket::adopt(std::move(it->fd), options);
    if (socket.ok()) out.push_back(std::move(socket).value());
    it = held_.erase(it);
  }
  return out;
}

std::vector<sys::UdpSocket> InheritedSockets::take_rest() {
  std::vector<sys::UdpSocket> out;
  for (Held& held : std::exchange(held_, {})) {
    sys::UdpOptions options;
    options.packet_info = true;
    options.rx_timestamps = true;
    Result<sys::UdpSocket> socket = sys::UdpSocket::adopt(std::move(held.fd), options);
    if (socket.ok()) out.push_back(std::move(socket).value());
  }
  return out;
}

}  // namespace timepool::net
