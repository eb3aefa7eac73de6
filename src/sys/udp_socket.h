// UdpSocket: one IPv4 or IPv6 datagram socket with kernel timestamps and the local address of each
// packet. Non-blocking. Only calls that a network simulator also knows: socket() without flags when
// those are refused, recvmsg and sendmsg with one buffer, SO_TIMESTAMPING and the error queue.
#pragma once

#include <sys/socket.h>

#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "base/byte_reader.h"
#include "base/ip.h"
#include "base/time.h"
#include "sys/fd.h"

namespace timepool::sys {

struct UdpOptions {
  // Learn the local address of what comes (IP_PKTINFO). A socket bound to one address knows it, and
  // is spared the cost.
  bool packet_info = false;
  bool interface_info = false;  // with packet_info: also bound to one address, for the interface
  bool rx_timestamps = false;   // kernel receive timestamps
  bool tx_timestamps = false;   // kernel transmit timestamps, read from the error queue
  // The same for single messages only, those that a UdpBatch marks; read by take_stamps().
  bool tx_timestamps_on_demand = false;
  bool reuse_port = false;  // SO_REUSEPORT before bind
  int receive_buffer = 0;   // bytes; 0: the system's default
  std::string interface;    // SO_BINDTODEVICE; empty: any
  // Timestamps of the network device too, which must have been told to make them
  // (sys/hardware_timestamping.h).
  bool hardware_timestamps = false;
  int dscp = 0;            // of what is sent, 0 to 63
  bool broadcast = false;  // may send to broadcast addresses
  int hops = 0;            // that a multicast goes; 0: the system's
  // Where connect() binds first; unspecified with port 0: the system's choice.
  Endpoint local;
};

// By a network device, in its own clock's time.
struct HardwareStamp {
  UnixTime device;
  std::uint32_t interface = 0;  // its index; 0: not known
  std::uint32_t length = 0;     // of the frame without its checksum; 0: not known
};

// The times of sending that have come so far.
struct TransmitTimes {
  std::optional<UnixTime> kernel;
  std::optional<UnixTime> hardware;  // in the device's own time
};

// The kernel's time of sending the `number`th message that asked for it, from 0 on.
struct TransmitStamp {
  std::uint32_t number = 0;
  UnixTime at;
};

// What came with a datagram.
struct Datagram {
  Endpoint from;
  // The address it was sent to: the socket's own, and where that is unspecified, what packet_info
  // tells.
  Endpoint to;
  std::uint32_t interface = 0;  // the index of the one it came by, when packet_info told; else 0
  UnixTime received;            // by the kernel when kernel_timestamp, else on return
  bool kernel_timestamp = false;
  std::optional<HardwareStamp> hardware;
  bool truncated = false;  // longer than the buffer
  std::size_t length = 0;
};

class UdpSocket {
 public:
  // Bound to `local`; port 0 takes a free one. IPv6 sockets take IPv6 only. The error names the
  // address, not the setting: the caller knows that.
  static Result<UdpSocket> bind(const Endpoint& local, const UdpOptions& options);
  // Connected to `remote` from a port of the kernel's random choice (RFC 9109): only its datagrams
  // come in, and an ICMP error ends receive() with its errno.
  static Result<UdpSocket> connect(const Endpoint& remote, const UdpOptions& options);

  // One that another process bound and handed over: `options` are applied as far as they can be
  // without binding it anew. Errors: not a bound UDP socket, or bound to another interface than
  // options.interface.
  static Result<UdpSocket> adopt(Fd fd, const UdpOptions& options);

  int fd() const { return fd_.number(); }
  // As bound or connected, with the port that the system chose.
  const Endpoint& local() const { return local_; }
  // From now on the interface of what comes is known (interface_info); from any thread.
  Result<void> learn_interfaces();
  // Takes part in a multicast group of the socket's family, on one interface.
  Result<void> join(const IpAddress& group, std::uint32_t interface);
  // For a socket bound without it, so that others may join after nobody else was found there.
  Result<void> allow_reuse_port();

  // The next datagram into `buffer`; nothing when there is none. Errors: an ICMP error that came
  // for a connected socket (kUnavailable), or the system's.
  Result<std::optional<Datagram>> receive(MutableBytes buffer);
  // To the connected peer.
  Result<void> send(Bytes bytes);
  // To `to`, from `from`'s address when that is specified and not the socket's own (the reply of a
  // multi-homed host).
  Result<void> send_to(Bytes bytes, const Endpoint& to, const Endpoint& from);
  // The kernel's time of an earlier send; nothing when none has come yet.
  std::optional<UnixTime> transmit_timestamp();
  // All that have come since the last call.
  TransmitTimes transmit_times();
  // Of a socket with tx_timestamps_on_demand: fills `out` from the front with what has come, and
  // says how many that are.
  std::size_t take_stamps(std::span<TransmitStamp> out);
  // Forgets what has come, and numbers anew from 0: a message that was refused may have taken a
  // number or not.
  void renumber_stamps();

 private:
  explicit UdpSocket(Fd fd) : fd_(std::move(fd)) {}
  static Result<UdpSocket> create(IpFamily family, const UdpOptions& options);
  static Result<void> configure(int fd, IpFamily family, const UdpOptions& options);
  Result<void> read_local();
  Result<void> bind_to(const Endpoint& local);

  Fd fd_;
  Endpoint local_;
};

// The kernel stamps what it receives only while some socket wants it, and begins a moment after the
// first does. A program whose sockets come and go holds this, unbound, all the time. No socket when
// the system refuses.
Fd hold_kernel_timestamps();

// A socket of `family`, non-blocking and close-on-exec, without the flags of socket(2) where those
// are refused.
Result<Fd> make_socket(int family, int type);

// The address in the system's form and back; 0 and nothing for another family.
socklen_t to_sockaddr(const Endpoint& endpoint, sockaddr_storage& out);
std::optional<Endpoint> from_sockaddr(const sockaddr_storage& address);

// Room for the control messages that come with a datagram: pktinfo, timestamps, an error.
inline constexpr std::size_t kControlBytes = 512;
// Fills `to`, `received`, `kernel_timestamp`, `hardware` and `truncated` from a message received by
// a socket that is bound to `local`.
void read_control(msghdr& message, const Endpoint& local, Datagram& datagram);
// Adds the control message that asks for the kernel's time of sending; `control` is the same as
// write_source()'s, called before.
void ask_for_stamp(msghdr& message, std::byte* control);
// Room for what write_source() and ask_for_stamp() write: CMSG_SPACE of an in6_pktinfo and of an
// int.
inline constexpr std::size_t kReplyControlBytes = 64;
// Writes the control message that sets the source address; `control` has
// kReplyControlBytes. Sets
// msg_control and msg_controllen, to nothing when `from` is unspecified.
void write_source(msghdr& message, std::byte* control, const Endpoint& from);

}  // namespace timepool::sys
