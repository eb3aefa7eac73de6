// [[peer]]: machines that timepool-ntpd exchanges time with as an equal; [[broadcast]]: networks
// that it tells its time; [[broadcast_client]]: networks whose broadcasts it listens for.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/duration.h"
#include "base/ip.h"
#include "config/schema.h"

namespace timepool::config {

inline constexpr std::size_t kMaxNtpPeers = 16;

// [[peer]]: symmetric active mode.
struct NtpPeerConfig {
  std::string address;  // an IP address or a host name
  std::uint16_t port = 123;
  std::uint32_t key = 0;  // of [keys]
  int minpoll = 6;
  int maxpoll = 10;
  int version = 4;
  bool online = true;
  bool prefer = false;
  bool trust = false;
  bool require = false;
  bool noselect = false;
  Duration max_delay = Duration::seconds(3);
  bool operator==(const NtpPeerConfig&) const = default;
};

inline constexpr std::size_t kMaxNtpBroadcasts = 16;

// [[broadcast]]: sends broadcasts or multicasts.
struct NtpBroadcastConfig {
  IpAddress address;  // a broadcast or multicast address
  std::uint16_t port = 123;
  std::string interface;
  std::uint32_t key = 0;  // of [keys]
  int interval = 6;       // log2 seconds
  int hops = 1;           // that a multicast goes
  bool operator==(const NtpBroadcastConfig&) const = default;
};

inline constexpr std::size_t kMaxNtpBroadcastClients = 8;

// [[broadcast_client]]: listens for broadcasts or multicasts.
struct NtpBroadcastClientConfig {
  std::string interface;
  std::uint16_t port = 123;
  std::optional<IpAddress> group;  // multicast; none: broadcasts
  std::uint32_t key = 0;           // of [keys]
  std::vector<Prefix> from;        // whose
  int max_servers = 4;
  Duration delay;  // from a server to here; zero: measured
  bool prefer = false;
  bool trust = false;
  bool require = false;
  bool noselect = false;
  bool operator==(const NtpBroadcastClientConfig&) const = default;
};
// What people call it, and what its source is called: "broadcast%eth0", "224.0.1.1%eth0".
std::string name_of(const NtpBroadcastClientConfig& config);

Schema<NtpPeerConfig> ntp_peer_schema();
Schema<NtpBroadcastConfig> ntp_broadcast_schema();
Schema<NtpBroadcastClientConfig> ntp_broadcast_client_schema();
// No two listen for the same. Empty when all is well, else what is wrong.
std::string check_broadcast_clients(const std::vector<NtpBroadcastClientConfig>& clients);
// B34: each has a key of its own. Empty when all is well, else what is wrong.
std::string check_peers(const std::vector<NtpPeerConfig>& peers);

}  // namespace timepool::config
