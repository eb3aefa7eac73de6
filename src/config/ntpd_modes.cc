#include "config/ntpd_modes.h"

namespace timepool::config {
namespace {

constexpr std::size_t kMaxSenders = 64;
// A second is the way to the moon; what is longer is a mistake.
constexpr Duration kMaxWay = Duration::seconds(1);

bool is_multicast(const IpAddress& address) {
  const auto first = std::to_integer<unsigned>(address.bytes()[0]);
  return address.is_v4() ? first >= 224 && first < 240 : first == 0xff;
}

std::string fault_of(const NtpBroadcastClientConfig& it) {
  if (it.interface.empty()) {
    return "interface is missing: broadcasts are for named networks only (RFC 8633 5.5)";
  }
  if (it.key == 0) return "key is missing: broadcasts must be authenticated (RFC 8633 5.5)";
  if (it.from.empty()) return "from is missing: whose broadcasts are believed (RFC 8633 5.5)";
  for (const Prefix& prefix : it.from) {
    if (prefix.length() == 0) {
      return "from allows everybody: name the network of the servers (RFC 8633 5.5)";
    }
    if (it.group && prefix.base().is_v4() != it.group->is_v4()) {
      return "from is of another family than group";
    }
    if (!it.group && !prefix.base().is_v4()) return "IPv6 has no broadcasts: name a group";
  }
  return it.group && !is_multicast(*it.group) ? "group is no multicast address" : "";
}

}  // namespace

Schema<NtpPeerConfig> ntp_peer_schema() {
  using It = NtpPeerConfig;
  constexpr int kMinPoll = -6;
  constexpr int kMaxPoll = 16;
  Schema<It> out;
  out.required("address", &It::address, text(255), "An IP address or a host name.")
      .field("port", &It::port, integer<std::uint16_t>(1, 65535),
             "The UDP port where it serves. Packets to it leave from the port where this machine "
             "serves: that of [server], else 123.")
      .field("key", &It::key, integer<std::uint32_t>(0, 4294967295U),
             "The number of the key in [keys] file that both sides have. It must be given, and "
             "each peer needs one of its own: whoever has it may tell this machine the time (RFC "
             "8633 5.6).")
      .field("minpoll", &It::minpoll, integer(kMinPoll, kMaxPoll),
             "The shortest time between packets, as a power of two of seconds.")
      .field("maxpoll", &It::maxpoll, integer(kMinPoll, kMaxPoll),
             "The longest time between packets, as a power of two of seconds. A peer that sends "
             "more often is sent as many, down to minpoll.")
      .field("version", &It::version, integer(3, 4), "The NTP version of packets.")
      .field("online", &It::online, boolean(),
             "Exchange packets from the start. With false it waits for `timepool ntp online`.")
      .field("prefer", &It::prefer, boolean(),
             "Use it alone, or with others that are preferred, as long as it agrees with the "
             "majority.")
      .field("trust", &It::trust, boolean(), "Sources that are not trusted can't outvote it.")
      .field("require", &It::require, boolean(),
             "Of the sources with this setting one at least must agree, else none is believed.")
      .field("noselect", &It::noselect, boolean(), "Measure it and never use its time.")
      .field("max_delay", &It::max_delay, duration(Duration::nanoseconds(1), Duration::seconds(60)),
             "Packets that took longer there and back, without their stay at the peer, are not "
             "used.")
      .check([](const It& it) -> std::string {
        if (it.address.empty()) return "address is empty";
        if (it.key == 0) {
          return "key is missing: a peer must be authenticated by a key of its own (RFC 8633 5.6)";
        }
        return it.minpoll > it.maxpoll ? "minpoll is above maxpoll" : "";
      });
  return out;
}

Schema<NtpBroadcastConfig> ntp_broadcast_schema() {
  using It = NtpBroadcastConfig;
  Schema<It> out;
  out.required(
         "address", &It::address, ip_address(),
         "The broadcast address of the network, or a multicast group: 224.0.1.1 and ff05::101 "
         "are NTP's.")
      .field("port", &It::port, integer<std::uint16_t>(1, 65535), "The UDP port.")
      .field("interface", &It::interface, text(15),
             "The network interface that they leave by. It must be given (RFC 8633 5.5).")
      .field("key", &It::key, integer<std::uint32_t>(0, 4294967295U),
             "The number of the key in [keys] file that proves them. It must be given (RFC 8633 "
             "5.5).")
      .field("interval", &It::interval, integer(2, 17),
             "The time from one to the next, as a power of two of seconds.")
      .field("hops", &It::hops, integer(1, 255), "How many routers a multicast passes, and one.")
      .check([](const It& it) -> std::string {
        if (it.interface.empty()) {
          return "interface is missing: broadcasts are for named networks only (RFC 8633 5.5)";
        }
        if (it.key == 0) {
          return "key is missing: broadcasts must be authenticated (RFC 8633 5.5)";
        }
        return it.address.is_unspecified() ? "address is no broadcast or multicast address" : "";
      });
  return out;
}

Schema<NtpBroadcastClientConfig> ntp_broadcast_client_schema() {
  using It = NtpBroadcastClientConfig;
  Schema<It> out;
  out.field("interface", &It::interface, text(15),
            "The network interface that they come by. It must be given (RFC 8633 5.5).")
      .field("port", &It::port, integer<std::uint16_t>(1, 65535), "The UDP port they come to.")
      .field("group", &It::group, maybe(ip_address()),
             "The multicast group to join: 224.0.1.1, ff02::101 and ff05::101 are NTP's. Without "
             "it: IPv4 broadcasts.")
      .field("key", &It::key, integer<std::uint32_t>(0, 4294967295U),
             "The number of the key in [keys] file that proves them. It must be given, and whoever "
             "has it may tell this machine the time (RFC 8633 5.5).")
      .field("from", &It::from, list_of(prefix(), kMaxSenders),
             "Prefixes of the servers' addresses; of IPv6 link-local ones fe80::/10. It must be "
             "given, and can't be everybody (RFC 8633 5.5).")
      .field("max_servers", &It::max_servers, integer(1, 16),
             "The most servers that are heard at once.")
      .field("delay", &It::delay, duration(Duration(), kMaxWay),
             "How long a broadcast takes to come here. Then no server is ever asked, and nothing "
             "but the broadcast before shows that one was not held back or recorded. 0s: each "
             "server is asked under the key, at first and every quarter of an hour, and broadcasts "
             "count where that says they must be.")
      .field("prefer", &It::prefer, boolean(),
             "Use them alone, or with others that are preferred, as long as they agree with the "
             "majority.")
      .field("trust", &It::trust, boolean(), "Sources that are not trusted can't outvote them.")
      .field("require", &It::require, boolean(),
             "Of the sources with this setting one at least must agree, else none is believed.")
      .field("noselect", &It::noselect, boolean(), "Measure them and never use their time.")
      .check([](const It& it) { return fault_of(it); });
  return out;
}

std::string name_of(const NtpBroadcastClientConfig& config) {
  return (config.group ? format(*config.group) : "broadcast") + "%" + config.interface;
}

std::string check_broadcast_clients(const std::vector<NtpBroadcastClientConfig>& clients) {
  for (std::size_t i = 0; i < clients.size(); ++i) {
    for (std::size_t j = 0; j < i; ++j) {
      if (name_of(clients[i]) == name_of(clients[j]) && clients[i].port == clients[j].port) {
        return "two [[broadcast_client]] listen for " + name_of(clients[i]);
      }
    }
  }
  return "";
}

std::string check_peers(const std::vector<NtpPeerConfig>& peers) {
  for (std::size_t i = 0; i < peers.size(); ++i) {
    for (std::size_t j = 0; j < i; ++j) {
      if (peers[i].key == peers[j].key) {
        return "two [[peer]] have key " + std::to_string(peers[i].key) +
               ": each needs one of its own (RFC 8633 5.6)";
      }
    }
  }
  return "";
}

}  // namespace timepool::config
