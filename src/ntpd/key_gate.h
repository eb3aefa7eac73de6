// KeyGate: which connections of key establishment are let in: how many at a time, of all clients
// and of each network, and how many new ones a second, by token buckets. A key establishment costs
// a server a hundred times what a reply does, so that it is what a flood would aim at. Any thread.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <mutex>

#include "base/ip.h"
#include "base/time.h"
#include "config/ntpd_nts_server.h"
#include "ntp/server/address_key.h"
#include "ntp/server/rate_limiter.h"

namespace timepool::ntpd {

enum class Admission : std::uint8_t {
  kYes,
  kFull,         // as many connections as there may be
  kNetworkFull,  // as many of its address or network
  kRate,         // too many new ones of its address or network lately
};

class KeyGate {
 public:
  // `config.connections` is cut to `most`, for want of descriptors.
  KeyGate(const config::NtsLimitsConfig& config, std::size_t most);

  // Others from now on; what is known of the clients stays. `clients` stays too.
  void set(const config::NtsLimitsConfig& config);

  // A connection of `from` comes at `now`. After kYes it counts until leave().
  Admission admit(const IpAddress& from, MonoTime now);
  void leave(const IpAddress& from);

  std::size_t open() const;
  std::size_t limit() const;

 private:
  // An address or a network, and how many connections of it may be open; 0: no limit.
  struct Level {
    ntp::AddressKey key;
    std::size_t limit = 0;
  };
  std::array<Level, 2> levels_of(const IpAddress& from) const;
  bool is_exempt(const IpAddress& from) const;
  void take_settings(const config::NtsLimitsConfig& config);

  const std::size_t most_;
  mutable std::mutex mutex_;
  config::NtsLimitsConfig config_;
  ntp::LimitSettings rates_;
  ntp::RateLimiter limiter_;
  MonoTime latest_;  // that anything came
  std::size_t open_ = 0;
  // Of every network that has connections: at most two for each.
  std::map<ntp::AddressKey, std::size_t> of_network_;
};

}  // namespace timepool::ntpd
