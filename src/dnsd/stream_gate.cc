#include "dnsd/stream_gate.h"

#include <algorithm>

namespace timepool::dnsd {
namespace {

// The first `bits` of an address, at most 64.
std::uint64_t first_bits(const IpAddress& address, int bits) {
  std::uint64_t out = 0;
  int taken = 0;
  for (const std::byte octet : address.bytes()) {
    if (taken == 64) break;
    out = out << 8 | std::to_integer<std::uint64_t>(octet);
    taken += 8;
  }
  return out >> (taken - bits);
}

}  // namespace

StreamGate::StreamGate(const config::DnsdConnectionsConfig& config, std::size_t most)
    : most_(std::max<std::size_t>(most, 1)) {
  set(config);
}

void StreamGate::set(const config::DnsdConnectionsConfig& config) {
  const std::lock_guard lock(mutex_);
  max_per_client_ = config.max_per_client;
  max_per_network_ = config.max_per_network;
  limit_.store(std::min<std::size_t>(config.max_connections, most_), std::memory_order_relaxed);
  idle_ns_.store(config.idle_timeout.ns(), std::memory_order_relaxed);
}

// Of IPv6 a client has 64 bits to itself, and could take any address in them.
StreamGate::Key StreamGate::client_of(const IpAddress& from) {
  return {from.is_v4(), first_bits(from, from.is_v4() ? 32 : 64)};
}

StreamGate::Key StreamGate::network_of(const IpAddress& from) {
  return {from.is_v4(), first_bits(from, from.is_v4() ? 24 : 48)};
}

Admitted StreamGate::admit(const IpAddress& from) {
  const Key client = client_of(from);
  const Key network = network_of(from);
  const std::lock_guard lock(mutex_);
  const auto of_client = clients_.find(client);
  if (of_client != clients_.end() && of_client->second >= max_per_client_) {
    return Admitted::kTooManyClient;
  }
  const auto of_network = networks_.find(network);
  if (of_network != networks_.end() && of_network->second >= max_per_network_) {
    return Admitted::kTooManyNetwork;
  }
  if (open() >= limit()) return Admitted::kFull;
  ++clients_[client];
  ++networks_[network];
  open_.store(open() + 1, std::memory_order_relaxed);
  return Admitted::kYes;
}

void StreamGate::forget(std::map<Key, unsigned>& counts, const Key& key) {
  const auto at = counts.find(key);
  if (--at->second == 0) counts.erase(at);
}

void StreamGate::leave(const IpAddress& from) {
  const std::lock_guard lock(mutex_);
  forget(clients_, client_of(from));
  forget(networks_, network_of(from));
  open_.store(open() - 1, std::memory_order_relaxed);
}

Duration StreamGate::idle_limit() const {
  const auto full = idle_ns_.load(std::memory_order_relaxed);
  const auto limit = static_cast<std::int64_t>(this->limit());
  const auto above = static_cast<std::int64_t>(open()) - limit / 2;
  if (above <= 0) return Duration::nanoseconds(full);
  const std::int64_t span = std::max<std::int64_t>(limit - limit / 2, 1);
  const std::int64_t tenths = 9 * std::min(above, span);
  const std::int64_t left = full - full / (10 * span) * tenths;
  return std::max(Duration::nanoseconds(left),
                  std::min(Duration::nanoseconds(full), kShortestIdle));
}

}  // namespace timepool::dnsd
