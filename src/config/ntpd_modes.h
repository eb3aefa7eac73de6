// [[peer]]: machines that timepool-ntpd exchanges time with as an equal; [[broadcast]]: networks
// that it tells its time.
#pragma once

#include <cstdint>
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

Schema<NtpPeerConfig> ntp_peer_schema();
Schema<NtpBroadcastConfig> ntp_broadcast_schema();
// B34: each has a key of its own. Empty when all is well, else what is wrong.
std::string check_peers(const std::vector<NtpPeerConfig>& peers);

}  // namespace timepool::config
