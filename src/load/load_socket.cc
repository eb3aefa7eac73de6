#include "load/load_socket.h"

#include <arpa/inet.h>
#include <sched.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>

namespace timepool::load {
namespace {

struct SocketAddress {
  sockaddr_storage storage{};
  socklen_t size = 0;
  const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&storage); }
  sockaddr* get() { return reinterpret_cast<sockaddr*>(&storage); }
};

SocketAddress socket_address(const Endpoint& endpoint) {
  SocketAddress out;
  if (endpoint.address.is_v4()) {
    sockaddr_in in{};
    in.sin_family = AF_INET;
    in.sin_port = htons(endpoint.port);
    std::memcpy(&in.sin_addr, endpoint.address.bytes().data(), 4);
    std::memcpy(&out.storage, &in, sizeof(in));
    out.size = sizeof(in);
  } else {
    sockaddr_in6 in{};
    in.sin6_family = AF_INET6;
    in.sin6_port = htons(endpoint.port);
    in.sin6_scope_id = endpoint.scope_id;
    std::memcpy(&in.sin6_addr, endpoint.address.bytes().data(), 16);
    std::memcpy(&out.storage, &in, sizeof(in));
    out.size = sizeof(in);
  }
  return out;
}

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

}  // namespace

Result<sys::Fd> connected_socket(const Endpoint& target, int receive_buffer) {
  sys::Fd socket = TRY(udp_socket(target.address.family(), receive_buffer));
  const SocketAddress address = socket_address(target);
  if (::connect(socket.number(), address.get(), address.size) != 0) {
    return fail(system_error(errno, "connect to " + format(target)));
  }
  return socket;
}

Result<sys::Fd> bound_socket(const Endpoint& listen, int receive_buffer) {
  sys::Fd socket = TRY(udp_socket(listen.address.family(), receive_buffer));
  const SocketAddress address = socket_address(listen);
  if (::bind(socket.number(), address.get(), address.size) != 0) {
    return fail(system_error(errno, "bind " + format(listen)));
  }
  return socket;
}

Result<Endpoint> local_endpoint(const sys::Fd& socket) {
  SocketAddress address;
  address.size = sizeof(address.storage);
  if (::getsockname(socket.number(), address.get(), &address.size) != 0) {
    return fail(system_error(errno, "getsockname"));
  }
  if (address.storage.ss_family == AF_INET) {
    sockaddr_in in{};
    std::memcpy(&in, &address.storage, sizeof(in));
    return Endpoint{IpAddress::v4(ntohl(in.sin_addr.s_addr)), ntohs(in.sin_port)};
  }
  sockaddr_in6 in{};
  std::memcpy(&in, &address.storage, sizeof(in));
  return Endpoint{IpAddress::from_bytes(std::as_bytes(std::span(in.sin6_addr.s6_addr))),
                  ntohs(in.sin6_port), in.sin6_scope_id};
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
