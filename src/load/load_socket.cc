#include "load/load_socket.h"

#include <sched.h>
#include <sys/socket.h>

#include <cerrno>

#include "sys/udp_socket.h"

namespace timepool::load {
namespace {

Result<sys::Fd> udp_socket(IpFamily family, int receive_buffer) {
  const int domain = family == IpFamily::kV4 ? AF_INET : AF_INET6;
  sys::Fd socket(::socket(domain, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (!socket.valid()) return fail(system_error(errno, "open a UDP socket"));
  // Past the system's limit only with CAP_NET_ADMIN; without it the limit itself is what we get.
  if (::setsockopt(socket.number(), SOL_SOCKET, SO_RCVBUFFORCE, &receive_buffer,
                   sizeof(receive_buffer)) != 0) {
    ::setsockopt(socket.number(), SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof(receive_buffer));
  }
  return socket;
}

Result<void> bind_to(const sys::Fd& socket, const Endpoint& local) {
  sockaddr_storage address{};
  const socklen_t size = sys::to_sockaddr(local, address);
  if (::bind(socket.number(), reinterpret_cast<const sockaddr*>(&address), size) != 0) {
    return fail(system_error(errno, "bind " + format(local)));
  }
  return {};
}

}  // namespace

Result<sys::Fd> connected_socket(const Endpoint& target, int receive_buffer,
                                 const std::optional<IpAddress>& source) {
  sys::Fd socket = TRY(udp_socket(target.address.family(), receive_buffer));
  if (source) TRY(bind_to(socket, {*source, 0, 0}));
  sockaddr_storage address{};
  const socklen_t size = sys::to_sockaddr(target, address);
  if (::connect(socket.number(), reinterpret_cast<const sockaddr*>(&address), size) != 0) {
    return fail(system_error(errno, "connect to " + format(target)));
  }
  return socket;
}

Result<sys::Fd> bound_socket(const Endpoint& listen, int receive_buffer) {
  sys::Fd socket = TRY(udp_socket(listen.address.family(), receive_buffer));
  TRY(bind_to(socket, listen));
  return socket;
}

Result<void> pin_to_cpu(std::optional<int> cpu) {
  if (!cpu) return {};
  cpu_set_t set;
  CPU_ZERO(&set);
  if (*cpu < 0 || *cpu >= CPU_SETSIZE) {
    return fail(Error{ErrorCode::kInvalid, "--cpu", "there is no such processor"});
  }
  CPU_SET(static_cast<unsigned>(*cpu), &set);
  if (::sched_setaffinity(0, sizeof(set), &set) != 0) {
    return fail(system_error(errno, "pin to processor " + std::to_string(*cpu)));
  }
  return {};
}

}  // namespace timepool::load
