#include "sys/udp_socket.h"

#include <linux/errqueue.h>
#include <linux/net_tstamp.h>
#include <net/if.h>
#include <netinet/in.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "sys/clock.h"
#include "sys/stream_socket.h"

namespace timepool::sys {
namespace {

std::string what(std::string_view verb, const Endpoint& endpoint) {
  return std::string(verb) + " UDP " + format(endpoint);
}

bool set_option(int fd, int level, int name, int value) {
  return ::setsockopt(fd, level, name, &value, sizeof value) == 0;
}

void set_receive_buffer(int fd, int bytes) {
  // The forced form passes the system's limit and needs CAP_NET_ADMIN.
  if (!set_option(fd, SOL_SOCKET, SO_RCVBUFFORCE, bytes)) {
    set_option(fd, SOL_SOCKET, SO_RCVBUF, bytes);
  }
}

// Which of the messages a timestamp belongs to, and no copy of the message with it.
constexpr int kNumbered = SOF_TIMESTAMPING_OPT_ID | SOF_TIMESTAMPING_OPT_TSONLY;

bool set_timestamps(int fd, const UdpOptions& options) {
  int flags = SOF_TIMESTAMPING_SOFTWARE;
  if (options.tx_timestamps_on_demand) flags |= kNumbered;
  if (options.rx_timestamps) flags |= SOF_TIMESTAMPING_RX_SOFTWARE;
  if (options.tx_timestamps) {
    flags |= SOF_TIMESTAMPING_TX_SOFTWARE | kNumbered;
    // Wakes poll() by POLLPRI: the simulator knows only that.
    set_option(fd, SOL_SOCKET, SO_SELECT_ERR_QUEUE, 1);
  }
  if (options.hardware_timestamps) {
    flags |=
        SOF_TIMESTAMPING_RAW_HARDWARE | SOF_TIMESTAMPING_RX_HARDWARE | SOF_TIMESTAMPING_OPT_PKTINFO;
    // Both for what is sent: a device may lose one.
    if (options.tx_timestamps) {
      flags |= SOF_TIMESTAMPING_TX_HARDWARE | SOF_TIMESTAMPING_OPT_TX_SWHW;
    }
  }
  return set_option(fd, SOL_SOCKET, SO_TIMESTAMPING, flags);
}

Result<void> set_packet_info(int fd, IpFamily family) {
  const bool ok = family == IpFamily::kV4 ? set_option(fd, IPPROTO_IP, IP_PKTINFO, 1)
                                          : set_option(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, 1);
  if (!ok) return fail(system_error(errno, "setsockopt IP_PKTINFO"));
  return {};
}

template <class T>
T control_data(cmsghdr* header) {
  T out{};
  if (header->cmsg_len >= CMSG_LEN(sizeof(T))) {
    std::memcpy(&out, CMSG_DATA(header), sizeof(T));
  }
  return out;
}

IpAddress address_of(const in_addr& in) {
  return IpAddress::v4(ntohl(in.s_addr));
}
IpAddress address_of(const in6_addr& in) {
  return IpAddress::from_bytes(std::as_bytes(std::span(in.s6_addr)));
}

// A timestamp of an scm_timestamping, or nothing: index 0 is the kernel's, 2 the device's.
std::optional<UnixTime> timestamp_of(const scm_timestamping& stamps, int index) {
  if (stamps.ts[index].tv_sec == 0 && stamps.ts[index].tv_nsec == 0) return std::nullopt;
  return to_unix_time(stamps.ts[index]);
}
constexpr int kKernelStamp = 0;
constexpr int kHardwareStamp = 2;

bool is_timestamps(const cmsghdr* header) {
  return header->cmsg_level == SOL_SOCKET && header->cmsg_type == SCM_TIMESTAMPING;
}

// Which device received the packet, where a bond or a bridge hides it, and how long its frame was.
void read_device(cmsghdr* header, HardwareStamp& stamp) {
  const auto info = control_data<scm_ts_pktinfo>(header);
  stamp.interface = info.if_index;
  stamp.length = info.pkt_length;
}

void read_socket_control(cmsghdr* header, Datagram& datagram, HardwareStamp& stamp) {
  if (header->cmsg_type == SCM_TIMESTAMPING) {
    if (header->cmsg_len < CMSG_LEN(sizeof(scm_timestamping))) return;
    // In place: what the kernel writes is aligned.
    const auto& stamps = *reinterpret_cast<const scm_timestamping*>(CMSG_DATA(header));
    if (const auto kernel = timestamp_of(stamps, kKernelStamp)) {
      datagram.received = *kernel;
      datagram.kernel_timestamp = true;
    }
    if (const auto hardware = timestamp_of(stamps, kHardwareStamp)) stamp.device = *hardware;
  } else if (header->cmsg_type == SCM_TIMESTAMPING_PKTINFO) {
    read_device(header, stamp);
  }
}

void set_dscp(int fd, IpFamily family, int dscp) {
  // A wish: without it the packet still goes.
  if (family == IpFamily::kV4) {
    set_option(fd, IPPROTO_IP, IP_TOS, dscp << 2);
  } else {
    set_option(fd, IPPROTO_IPV6, IPV6_TCLASS, dscp << 2);
  }
}

Result<void> set_broadcast(int fd, IpFamily family, const UdpOptions& options) {
  if (options.broadcast && !set_option(fd, SOL_SOCKET, SO_BROADCAST, 1)) {
    return fail(system_error(errno, "setsockopt SO_BROADCAST"));
  }
  if (options.hops == 0) return {};
  const bool ok = family == IpFamily::kV4
                      ? set_option(fd, IPPROTO_IP, IP_MULTICAST_TTL, options.hops)
                      : set_option(fd, IPPROTO_IPV6, IPV6_MULTICAST_HOPS, options.hops);
  if (!ok) return fail(system_error(errno, "setsockopt IP_MULTICAST_TTL"));
  return {};
}

}  // namespace

socklen_t to_sockaddr(const Endpoint& endpoint, sockaddr_storage& out) {
  out = {};
  const Bytes bytes = endpoint.address.bytes();
  if (endpoint.address.is_v4()) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(endpoint.port);
    std::memcpy(&address.sin_addr, bytes.data(), 4);
    std::memcpy(&out, &address, sizeof address);
    return sizeof address;
  }
  sockaddr_in6 address{};
  address.sin6_family = AF_INET6;
  address.sin6_port = htons(endpoint.port);
  address.sin6_scope_id = endpoint.scope_id;
  std::memcpy(&address.sin6_addr, bytes.data(), 16);
  std::memcpy(&out, &address, sizeof address);
  return sizeof address;
}

// No copies and no clearing of what is then overwritten: this runs for every datagram.
std::optional<Endpoint> from_sockaddr(const sockaddr_storage& in) {
  if (in.ss_family == AF_INET) {
    const auto& address = reinterpret_cast<const sockaddr_in&>(in);
    return Endpoint{address_of(address.sin_addr), ntohs(address.sin_port), 0};
  }
  if (in.ss_family != AF_INET6) return std::nullopt;
  const auto& address = reinterpret_cast<const sockaddr_in6&>(in);
  return Endpoint{address_of(address.sin6_addr), ntohs(address.sin6_port), address.sin6_scope_id};
}

Result<Fd> make_socket(int family, int type) {
  Fd fd(::socket(family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (fd) return fd;
  if (errno != EINVAL) return fail(system_error(errno, "socket"));
  fd.reset(::socket(family, type, 0));
  if (!fd) return fail(system_error(errno, "socket"));
  TRY(set_nonblocking_cloexec(fd.number()));
  return fd;
}

Fd hold_kernel_timestamps() {
  Result<Fd> fd = make_socket(AF_INET, SOCK_DGRAM);
  UdpOptions options;
  options.rx_timestamps = true;
  if (!fd.ok() || !set_timestamps(fd->number(), options)) return {};
  return std::move(fd).value();
}

// What can also be set on a socket that is bound.
Result<void> UdpSocket::configure(int number, IpFamily family, const UdpOptions& options) {
  if (options.reuse_port && !set_option(number, SOL_SOCKET, SO_REUSEPORT, 1)) {
    return fail(system_error(errno, "setsockopt SO_REUSEPORT"));
  }
  if (options.receive_buffer > 0) set_receive_buffer(number, options.receive_buffer);
  if (options.dscp > 0) set_dscp(number, family, options.dscp);
  // Else a socket of any address gets what comes to groups that others have joined.
  if (family == IpFamily::kV4) {
    set_option(number, IPPROTO_IP, IP_MULTICAST_ALL, 0);
  } else {
    set_option(number, IPPROTO_IPV6, IPV6_MULTICAST_ALL, 0);
  }
  return {};
}

Result<UdpSocket> UdpSocket::create(IpFamily family, const UdpOptions& options) {
  const bool v4 = family == IpFamily::kV4;
  Fd fd = TRY(make_socket(v4 ? AF_INET : AF_INET6, SOCK_DGRAM));
  const int number = fd.number();
  if (!v4 && !set_option(number, IPPROTO_IPV6, IPV6_V6ONLY, 1)) {
    return fail(system_error(errno, "setsockopt IPV6_V6ONLY"));
  }
  TRY(configure(number, family, options));
  TRY(set_broadcast(number, family, options));
  if (!options.interface.empty() &&
      ::setsockopt(number, SOL_SOCKET, SO_BINDTODEVICE, options.interface.c_str(),
                   static_cast<socklen_t>(options.interface.size())) < 0) {
    return fail(system_error(errno, "bind to interface " + options.interface));
  }
  UdpSocket out(std::move(fd));
  if (options.rx_timestamps || options.tx_timestamps) {
    static_cast<void>(set_timestamps(number, options));
  }
  return out;
}

Result<void> UdpSocket::read_local() {
  local_ = TRY(local_endpoint(fd()));
  return {};
}

Result<void> UdpSocket::bind_to(const Endpoint& local) {
  sockaddr_storage address{};
  const socklen_t length = to_sockaddr(local, address);
  if (::bind(fd(), reinterpret_cast<const sockaddr*>(&address), length) < 0) {
    return fail(system_error(errno, what("bind", local)));
  }
  return {};
}

Result<UdpSocket> UdpSocket::bind(const Endpoint& local, const UdpOptions& options) {
  UdpSocket out = TRY(create(local.address.family(), options));
  if (options.packet_info && (options.interface_info || local.address.is_unspecified())) {
    TRY(set_packet_info(out.fd(), local.address.family()));
  }
  TRY(out.bind_to(local));
  TRY(out.read_local());
  return out;
}

Result<UdpSocket> UdpSocket::adopt(Fd fd, const UdpOptions& options) {
  const Error unfit{ErrorCode::kInvalid, "take over a socket", "not a bound UDP socket"};
  int protocol = 0;
  socklen_t length = sizeof protocol;
  if (::getsockopt(fd.number(), SOL_SOCKET, SO_PROTOCOL, &protocol, &length) < 0 ||
      protocol != IPPROTO_UDP) {
    return fail(unfit);
  }
  std::array<char, IFNAMSIZ> interface{};
  length = interface.size();
  if (::getsockopt(fd.number(), SOL_SOCKET, SO_BINDTODEVICE, interface.data(), &length) < 0 ||
      options.interface != interface.data()) {
    return fail(Error{ErrorCode::kInvalid, "take over a socket", "bound to another interface"});
  }
  TRY(set_nonblocking_cloexec(fd.number()));
  UdpSocket out(std::move(fd));
  TRY(out.read_local());
  if (out.local_.port == 0) return fail(unfit);
  const IpAddress& local = out.local_.address;
  TRY(configure(out.fd(), local.family(), options));
  if (options.packet_info && (options.interface_info || local.is_unspecified())) {
    TRY(set_packet_info(out.fd(), local.family()));
  }
  if (options.rx_timestamps || options.tx_timestamps) {
    static_cast<void>(set_timestamps(out.fd(), options));
  }
  // Its last owner has used up numbers.
  if (options.tx_timestamps_on_demand) out.renumber_stamps();
  return out;
}

Result<UdpSocket> UdpSocket::connect(const Endpoint& remote, const UdpOptions& options) {
  UdpSocket out = TRY(create(remote.address.family(), options));
  if (!options.local.address.is_unspecified() || options.local.port != 0) {
    Endpoint local = options.local;
    if (local.address.is_unspecified()) local.address = IpAddress::any(remote.address.family());
    TRY(out.bind_to(local));
  }
  sockaddr_storage address{};
  const socklen_t length = to_sockaddr(remote, address);
  if (::connect(out.fd(), reinterpret_cast<const sockaddr*>(&address), length) < 0) {
    return fail(system_error(errno, what("connect", remote)));
  }
  TRY(out.read_local());
  return out;
}

Result<void> UdpSocket::learn_interfaces() {
  return set_packet_info(fd(), local_.address.family());
}

Result<void> UdpSocket::join(const IpAddress& group, std::uint32_t interface) {
  sockaddr_storage address{};
  to_sockaddr({group, 0, 0}, address);
  group_req request{};
  request.gr_interface = interface;
  request.gr_group = address;
  const int level = group.is_v4() ? IPPROTO_IP : IPPROTO_IPV6;
  if (::setsockopt(fd(), level, MCAST_JOIN_GROUP, &request, sizeof request) < 0) {
    return fail(system_error(errno, "join " + format(group)));
  }
  return {};
}

Result<void> UdpSocket::allow_reuse_port() {
  if (!set_option(fd(), SOL_SOCKET, SO_REUSEPORT, 1)) {
    return fail(system_error(errno, "setsockopt SO_REUSEPORT"));
  }
  return {};
}

void read_control(msghdr& message, const Endpoint& local, Datagram& datagram) {
  datagram.truncated = (message.msg_flags & MSG_TRUNC) != 0;
  datagram.kernel_timestamp = false;
  datagram.hardware.reset();
  HardwareStamp stamp;
  datagram.to = local;
  datagram.interface = 0;
  for (cmsghdr* header = CMSG_FIRSTHDR(&message); header != nullptr;
       header = CMSG_NXTHDR(&message, header)) {
    if (header->cmsg_level == SOL_SOCKET) {
      read_socket_control(header, datagram, stamp);
    } else if (header->cmsg_level == IPPROTO_IP && header->cmsg_type == IP_PKTINFO) {
      const auto info = control_data<in_pktinfo>(header);
      datagram.to.address = address_of(info.ipi_addr);
      datagram.interface = static_cast<std::uint32_t>(info.ipi_ifindex);
    } else if (header->cmsg_level == IPPROTO_IPV6 && header->cmsg_type == IPV6_PKTINFO) {
      const auto info = control_data<in6_pktinfo>(header);
      datagram.to.address = address_of(info.ipi6_addr);
      datagram.interface = static_cast<std::uint32_t>(info.ipi6_ifindex);
      datagram.to.scope_id = datagram.interface;
    }
  }
  if (stamp.device != UnixTime()) datagram.hardware = stamp;
}

void ask_for_stamp(msghdr& message, std::byte* control) {
  const std::uint32_t kind = SOF_TIMESTAMPING_TX_SOFTWARE;
  auto* header = reinterpret_cast<cmsghdr*>(control + message.msg_controllen);
  header->cmsg_level = SOL_SOCKET;
  header->cmsg_type = SO_TIMESTAMPING;
  header->cmsg_len = CMSG_LEN(sizeof kind);
  std::memcpy(CMSG_DATA(header), &kind, sizeof kind);
  message.msg_control = control;
  message.msg_controllen += CMSG_SPACE(sizeof kind);
}

void write_source(msghdr& message, std::byte* control, const Endpoint& from) {
  message.msg_control = nullptr;
  message.msg_controllen = 0;
  if (from.address.is_unspecified()) return;
  const Bytes bytes = from.address.bytes();
  message.msg_control = control;
  if (from.address.is_v4()) {
    in_pktinfo info{};
    std::memcpy(&info.ipi_spec_dst, bytes.data(), 4);
    message.msg_controllen = CMSG_SPACE(sizeof info);
    std::memset(control, 0, message.msg_controllen);
    cmsghdr* header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = IPPROTO_IP;
    header->cmsg_type = IP_PKTINFO;
    header->cmsg_len = CMSG_LEN(sizeof info);
    std::memcpy(CMSG_DATA(header), &info, sizeof info);
    return;
  }
  in6_pktinfo info{};
  std::memcpy(&info.ipi6_addr, bytes.data(), 16);
  // The interface matters for link-local addresses; others follow the routing table.
  const bool link_local =
      bytes[0] == std::byte{0xfe} && (bytes[1] & std::byte{0xc0}) == std::byte{0x80};
  if (link_local) info.ipi6_ifindex = from.scope_id;
  message.msg_controllen = CMSG_SPACE(sizeof info);
  std::memset(control, 0, message.msg_controllen);
  cmsghdr* header = CMSG_FIRSTHDR(&message);
  header->cmsg_level = IPPROTO_IPV6;
  header->cmsg_type = IPV6_PKTINFO;
  header->cmsg_len = CMSG_LEN(sizeof info);
  std::memcpy(CMSG_DATA(header), &info, sizeof info);
}

Result<std::optional<Datagram>> UdpSocket::receive(MutableBytes buffer) {
  sockaddr_storage address{};
  alignas(cmsghdr) std::array<std::byte, kControlBytes> control;
  iovec part{buffer.data(), buffer.size()};
  msghdr message{};
  message.msg_name = &address;
  message.msg_namelen = sizeof address;
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = control.data();
  message.msg_controllen = control.size();
  const ssize_t count = ::recvmsg(fd(), &message, MSG_DONTWAIT);
  if (count < 0) {
    if (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR) return std::optional<Datagram>();
    return fail(system_error(errno, "receive"));
  }
  Datagram out;
  out.length = static_cast<std::size_t>(count);
  out.from = from_sockaddr(address).value_or(Endpoint{});
  read_control(message, local_, out);
  if (!out.kernel_timestamp) out.received = unix_now();
  return std::optional<Datagram>(out);
}

Result<void> UdpSocket::send(Bytes bytes) {
  if (::send(fd(), bytes.data(), bytes.size(), MSG_DONTWAIT | MSG_NOSIGNAL) < 0) {
    return fail(system_error(errno, "send"));
  }
  return {};
}

Result<void> UdpSocket::send_to(Bytes bytes, const Endpoint& to, const Endpoint& from) {
  sockaddr_storage address{};
  alignas(cmsghdr) std::array<std::byte, kReplyControlBytes> control;
  // sendmsg does not write through the buffer.
  iovec part{const_cast<std::byte*>(bytes.data()), bytes.size()};
  msghdr message{};
  message.msg_namelen = to_sockaddr(to, address);
  message.msg_name = &address;
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  if (from.address != local_.address) write_source(message, control.data(), from);
  if (::sendmsg(fd(), &message, MSG_DONTWAIT | MSG_NOSIGNAL) < 0) {
    return fail(system_error(errno, what("send to", to)));
  }
  return {};
}

std::optional<UnixTime> UdpSocket::transmit_timestamp() {
  return transmit_times().kernel;
}

TransmitTimes UdpSocket::transmit_times() {
  // The message may hold the sent frame too; only the control data matters. A few are skipped when
  // they are errors rather than timestamps.
  constexpr int kMaxMessages = 8;
  TransmitTimes out;
  std::array<std::byte, 2048> frame;
  for (int i = 0; i < kMaxMessages; ++i) {
    alignas(cmsghdr) std::array<std::byte, kControlBytes> control;
    iovec part{frame.data(), frame.size()};
    msghdr message{};
    message.msg_iov = &part;
    message.msg_iovlen = 1;
    message.msg_control = control.data();
    message.msg_controllen = control.size();
    if (::recvmsg(fd(), &message, MSG_ERRQUEUE | MSG_DONTWAIT) < 0) break;
    for (cmsghdr* header = CMSG_FIRSTHDR(&message); header != nullptr;
         header = CMSG_NXTHDR(&message, header)) {
      if (!is_timestamps(header)) continue;
      const auto stamps = control_data<scm_timestamping>(header);
      if (const auto kernel = timestamp_of(stamps, kKernelStamp)) out.kernel = kernel;
      if (const auto hardware = timestamp_of(stamps, kHardwareStamp)) out.hardware = hardware;
    }
  }
  return out;
}

std::size_t UdpSocket::take_stamps(std::span<TransmitStamp> out) {
  std::size_t taken = 0;
  while (taken < out.size()) {
    alignas(cmsghdr) std::array<std::byte, kControlBytes> control;
    msghdr message{};
    message.msg_control = control.data();
    message.msg_controllen = control.size();
    if (::recvmsg(fd(), &message, MSG_ERRQUEUE | MSG_DONTWAIT) < 0) break;
    TransmitStamp stamp;
    bool numbered = false;
    for (cmsghdr* header = CMSG_FIRSTHDR(&message); header != nullptr;
         header = CMSG_NXTHDR(&message, header)) {
      if (is_timestamps(header)) {
        const auto stamps = control_data<scm_timestamping>(header);
        if (const auto kernel = timestamp_of(stamps, kKernelStamp)) stamp.at = *kernel;
      } else if ((header->cmsg_level == IPPROTO_IP && header->cmsg_type == IP_RECVERR) ||
                 (header->cmsg_level == IPPROTO_IPV6 && header->cmsg_type == IPV6_RECVERR)) {
        const auto error = control_data<sock_extended_err>(header);
        numbered = error.ee_origin == SO_EE_ORIGIN_TIMESTAMPING;
        stamp.number = error.ee_data;
      }
    }
    if (numbered && stamp.at != UnixTime()) out[taken++] = stamp;
  }
  return taken;
}

void UdpSocket::renumber_stamps() {
  std::array<TransmitStamp, 64> forgotten;
  (void)take_stamps(forgotten);
  // The numbers begin anew when the option is turned on.
  const int plain = SOF_TIMESTAMPING_SOFTWARE | SOF_TIMESTAMPING_RX_SOFTWARE;
  set_option(fd(), SOL_SOCKET, SO_TIMESTAMPING, plain);
  set_option(fd(), SOL_SOCKET, SO_TIMESTAMPING, plain | kNumbered);
}

}  // namespace timepool::sys
