#include "ntpd/client_links.h"

#include <poll.h>

#include <algorithm>
#include <array>
#include <utility>

#include "sys/clock.h"

namespace timepool::ntpd {
namespace {

// Datagrams taken from one socket before others get their turn.
constexpr int kMaxDatagrams = 16;
// A reply that is longer comes truncated and is judged by what there is: NTP packets with NTS stay
// below the 1280 bytes of an IPv6 minimum MTU.
constexpr std::size_t kMaxReply = 2048;
// A device tells the time of sending a moment after it sent; a near server may be faster.
constexpr Duration kStampWait = Duration::milliseconds(1);
// A device that keeps silent that often makes none on this path.
constexpr int kMaxWaitsInVain = 8;
// How far a device's time of receiving may be before the kernel's.
constexpr Duration kMaxStampDelay = Duration::seconds(1);
constexpr Duration kStampSlack = Duration::milliseconds(1);

}  // namespace

ClientLinks::ClientLinks(net::Reactor& reactor, sys::Logger& logger,
                         const config::NtpSourcesConfig& config, RawMapping mapping,
                         Handlers handlers)
    : reactor_(reactor),
      logger_(logger),
      config_(config),
      handlers_(std::move(handlers)),
      hardware_(config.hardware_timestamps, std::move(mapping), logger),
      timestamps_(sys::hold_kernel_timestamps()) {}

sys::UdpOptions ClientLinks::options_for(const ntp::SendAction& action) const {
  const IpFamily family = action.to.address.family();
  sys::UdpOptions out;
  out.rx_timestamps = true;
  out.tx_timestamps = true;
  out.hardware_timestamps = hardware_.any();
  out.interface = config_.bind_device;
  out.dscp = config_.dscp;
  for (const IpAddress& address : config_.bind_address) {
    if (address.family() == family) out.local.address = address;
  }
  if (action.held) {
    const auto served = std::find_if(served_.begin(), served_.end(), [family](const Endpoint& at) {
      return at.address.family() == family;
    });
    out.local.port = wire::ntp::kNtpPort;
    out.reuse_port = true;
    if (served == served_.end()) return out;
    out.local.port = served->port;
    if (!served->address.is_unspecified()) out.local.address = served->address;
    return out;
  }
  out.local.port = config_.acquisition_port;
  // The requests to other servers leave from the same port.
  out.reuse_port = config_.acquisition_port != 0;
  return out;
}

// False when the peer has no socket, or one that is of no use any more.
bool ClientLinks::send_again(const ntp::SendAction& action) {
  const auto found = links_.find(action.association);
  if (found == links_.end()) return false;
  Link& link = found->second;
  link.device_sent.reset();
  link.told = link.waited = false;
  // An ICMP error about an earlier packet ends the call after it.
  return link.socket.send(action.bytes()).ok() || link.socket.send(action.bytes()).ok();
}

void ClientLinks::close_held() {
  std::erase_if(links_, [](const auto& entry) { return entry.second.held; });
}

Result<void> ClientLinks::send(const ntp::SendAction& action) {
  const ntp::AssociationId association = action.association;
  if (action.held && send_again(action)) return {};
  links_.erase(association);
  sys::UdpSocket socket = TRY(sys::UdpSocket::connect(action.to, options_for(action)));
  TRY(socket.send(action.bytes()));
  net::Watch watch =
      reactor_.watch(socket.fd(), POLLIN | POLLPRI,
                     [this, association](short ready) { on_ready(association, ready); });
  links_.emplace(association,
                 Link{std::move(socket), std::move(watch), {}, {}, {}, action.held, false, false});
  return {};
}

std::optional<Endpoint> ClientLinks::local_address(ntp::AssociationId association) const {
  const auto found = links_.find(association);
  if (found == links_.end()) return std::nullopt;
  return found->second.socket.local();
}

void ClientLinks::on_ready(ntp::AssociationId association, short ready) {
  const auto found = links_.find(association);
  if (found == links_.end()) return;
  Link& link = found->second;
  // The time of sending first: the reply that comes with it is measured by it.
  if ((ready & (POLLERR | POLLPRI)) != 0) take_transmit_times(association, link);
  if (hold(association, link)) return;
  receive(association, link);
}

void ClientLinks::take_transmit_times(ntp::AssociationId association, Link& link) {
  const sys::TransmitTimes times = link.socket.transmit_times();
  if (times.kernel) {
    handlers_.sent(association, {*times.kernel, ntp::StampSource::kKernel, Duration()});
  }
  if (!times.hardware) return;
  link.device_sent = times.hardware;
  link.told = true;
  waited_in_vain_ = 0;
  if (link.interface) tell_device_sent(association, link);
}

// Which device it left by is known when the answer came by one.
void ClientLinks::tell_device_sent(ntp::AssociationId association, Link& link) {
  if (!link.device_sent) return;
  const auto sent = hardware_.sent(*link.device_sent, *link.interface);
  link.device_sent.reset();
  if (!sent) return;
  handlers_.sent(association, {sent->raw, ntp::StampSource::kHardware, sent->error});
}

// A reply is left in its socket for a moment while the device has not told when the request left.
bool ClientLinks::hold(ntp::AssociationId association, Link& link) {
  if (!hardware_.any() || link.told) {
    link.release.cancel();
    link.watch.set_events(POLLIN | POLLPRI);
    return false;
  }
  if (link.release.pending()) return true;
  if (link.waited || waited_in_vain_ >= kMaxWaitsInVain) return false;
  link.waited = true;
  ++waited_in_vain_;
  link.watch.set_events(POLLPRI);
  link.release = reactor_.at(sys::mono_now() + kStampWait, [this, association] {
    const auto found = links_.find(association);
    if (found == links_.end()) return;
    found->second.watch.set_events(POLLIN | POLLPRI);
    receive(association, found->second);
  });
  return true;
}

Arrival ClientLinks::arrival_of(const sys::Datagram& datagram, Bytes bytes) {
  Arrival out;
  out.from = datagram.from;
  out.received = datagram.received;
  out.bytes = bytes;
  if (datagram.kernel_timestamp) out.source = ntp::StampSource::kKernel;
  if (!datagram.hardware) return out;
  const auto mapped =
      hardware_.received(*datagram.hardware, datagram.length, datagram.from.address.family());
  if (!mapped) return out;
  const Duration before = out.received - mapped->raw;
  if (before < -kStampSlack || before > kMaxStampDelay) {
    logger_.debug("hardware timestamp off by {}", format(before));
    return out;
  }
  out.received = mapped->raw;
  out.source = ntp::StampSource::kHardware;
  out.error = mapped->error;
  return out;
}

void ClientLinks::receive(ntp::AssociationId association, Link& link) {
  std::array<std::byte, kMaxReply> buffer;
  for (int i = 0; i < kMaxDatagrams; ++i) {
    const Result<std::optional<sys::Datagram>> got = link.socket.receive(buffer);
    if (!got.ok()) {
      logger_.debug("{}: {}", format(link.socket.local()), got.error().text());
      break;
    }
    if (!got->has_value()) break;
    const sys::Datagram& datagram = **got;
    const Arrival arrival = arrival_of(datagram, Bytes(buffer).first(datagram.length));
    link.interface = datagram.hardware ? datagram.hardware->interface : 0;
    tell_device_sent(association, link);
    handlers_.received(association, arrival);
  }
  handlers_.done();
}

}  // namespace timepool::ntpd
