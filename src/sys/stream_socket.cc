#include "sys/stream_socket.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <cerrno>

#include "sys/udp_socket.h"

namespace timepool::sys {
namespace {

bool set_option(int fd, int level, int name, int value) {
  return ::setsockopt(fd, level, name, &value, sizeof value) == 0;
}

bool make_blocking(int fd) {
  const int flags = ::fcntl(fd, F_GETFL);
  return flags >= 0 && ::fcntl(fd, F_SETFL, flags & ~O_NONBLOCK) == 0;
}

}  // namespace

Result<Fd> listen_stream(const Endpoint& at, const std::string& what,
                         const ListenOptions& options) {
  sockaddr_storage address{};
  const socklen_t length = to_sockaddr(at, address);
  auto made = make_socket(address.ss_family, SOCK_STREAM);
  if (!made.ok()) return fail(Error{made.error().code, what, made.error().detail});
  Fd out = std::move(made).value();
  const int fd = out.number();
  set_option(fd, SOL_SOCKET, SO_REUSEADDR, 1);
  const bool v6_only = at.address.is_v4() || set_option(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1);
  // Before listen(): the window's scale follows the buffer.
  set_stream_options(fd, options.stream);
  if (!v6_only || ::bind(fd, reinterpret_cast<const sockaddr*>(&address), length) != 0 ||
      ::listen(fd, options.backlog) != 0 || (options.blocking && !make_blocking(fd))) {
    return fail(system_error(errno, what));
  }
  return out;
}

std::vector<Endpoint> every_address(std::uint16_t port) {
  std::vector<Endpoint> out{{IpAddress::any(IpFamily::kV4), port, 0}};
  if (make_socket(AF_INET6, SOCK_STREAM).ok()) {
    out.push_back({IpAddress::any(IpFamily::kV6), port, 0});
  }
  return out;
}

void set_stream_options(int fd, const StreamOptions& options) {
  const int before = errno;
  if (options.send_buffer > 0) set_option(fd, SOL_SOCKET, SO_SNDBUF, options.send_buffer);
  if (options.receive_buffer > 0) set_option(fd, SOL_SOCKET, SO_RCVBUF, options.receive_buffer);
  if (options.no_delay) set_option(fd, IPPROTO_TCP, TCP_NODELAY, 1);
  if (options.fast_open > 0) set_option(fd, IPPROTO_TCP, TCP_FASTOPEN, options.fast_open);
  if (options.defer_seconds > 0) {
    set_option(fd, IPPROTO_TCP, TCP_DEFER_ACCEPT, options.defer_seconds);
  }
  errno = before;
}

Result<Endpoint> local_endpoint(int fd) {
  sockaddr_storage address{};
  socklen_t length = sizeof address;
  if (::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &length) < 0) {
    return fail(system_error(errno, "getsockname"));
  }
  const auto out = from_sockaddr(address);
  if (!out) return fail(Error{ErrorCode::kInvalid, "getsockname", "not a socket of IP"});
  return *out;
}

}  // namespace timepool::sys
