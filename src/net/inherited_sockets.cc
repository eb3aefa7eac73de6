#include "net/inherited_sockets.h"

#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "sys/stream_socket.h"

namespace timepool::net {
namespace {

int option_of(int fd, int name) {
  int value = 0;
  socklen_t length = sizeof value;
  return ::getsockopt(fd, SOL_SOCKET, name, &value, &length) < 0 ? 0 : value;
}

std::optional<Endpoint> bound_address(int fd) {
  const auto out = sys::local_endpoint(fd);
  return out.ok() && out->port != 0 ? std::optional(*out) : std::nullopt;
}

}  // namespace

bool InheritedSockets::add(sys::Fd fd, std::size_t order) {
  const int protocol = option_of(fd.number(), SO_PROTOCOL);
  const bool listens = protocol == IPPROTO_TCP && option_of(fd.number(), SO_ACCEPTCONN) != 0;
  if (protocol != IPPROTO_UDP && !listens) return false;
  const std::optional<Endpoint> local = bound_address(fd.number());
  if (!local) return false;
  std::vector<Held>& held = listens ? listeners_ : held_;
  const auto at = std::upper_bound(held.begin(), held.end(), order,
                                   [](std::size_t a, const Held& b) { return a < b.order; });
  held.insert(at, Held{*local, order, std::move(fd)});
  return true;
}

std::vector<int> InheritedSockets::descriptors() const {
  std::vector<int> out;
  for (const Held& held : held_) out.push_back(held.fd.number());
  for (const Held& held : listeners_) out.push_back(held.fd.number());
  return out;
}

sys::Fd InheritedSockets::take_listener(const Endpoint& address) {
  const auto at = std::find_if(listeners_.begin(), listeners_.end(), [&](const Held& it) {
    return it.local.address == address.address && it.local.scope_id == address.scope_id &&
           (address.port == 0 || it.local.port == address.port);
  });
  if (at == listeners_.end()) return {};
  sys::Fd out = std::move(at->fd);
  listeners_.erase(at);
  return sys::set_nonblocking_cloexec(out.number()).ok() ? std::move(out) : sys::Fd();
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
