// StreamGate: which connections of one transport are let in: how many at a time, of all clients, of
// one address and of one network; and how long an idle one may stay. Any thread.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <map>
#include <mutex>
#include <utility>

#include "base/duration.h"
#include "base/ip.h"
#include "config/dnsd_tcp.h"

namespace timepool::dnsd {

enum class Admitted : std::uint8_t {
  kYes,
  kFull,            // as many connections as there may be
  kTooManyClient,   // as many of its address
  kTooManyNetwork,  // as many of its network
};

class StreamGate {
 public:
  // A connection that is idle stays this long at least, however many there are.
  static constexpr Duration kShortestIdle = Duration::milliseconds(100);

  // `config.max_connections` is cut to `most`, for want of descriptors.
  StreamGate(const config::DnsdConnectionsConfig& config, std::size_t most);

  // Others from now on; connections that are open stay.
  void set(const config::DnsdConnectionsConfig& config);

  // A connection of `from` comes. After kYes it counts until leave().
  Admitted admit(const IpAddress& from);
  void leave(const IpAddress& from);

  std::size_t open() const { return open_.load(std::memory_order_relaxed); }
  std::size_t limit() const { return limit_.load(std::memory_order_relaxed); }

  // How long a connection may be idle now (RFC 7766 6.2.3): the configured time while at most half
  // of all are open, from there on less in proportion, a tenth at the limit.
  Duration idle_limit() const;

 private:
  // An address or a network by its first bits, at most 64: family, then those bits.
  using Key = std::pair<bool, std::uint64_t>;
  static Key client_of(const IpAddress& from);
  static Key network_of(const IpAddress& from);
  static void forget(std::map<Key, unsigned>& counts, const Key& key);

  const std::size_t most_;
  mutable std::mutex mutex_;
  unsigned max_per_client_ = 0;
  unsigned max_per_network_ = 0;
  std::map<Key, unsigned> clients_;  // that have connections
  std::map<Key, unsigned> networks_;
  std::atomic<std::size_t> open_{0};  // written under the lock
  std::atomic<std::size_t> limit_{0};
  std::atomic<std::int64_t> idle_ns_{0};
};

}  // namespace timepool::dnsd
