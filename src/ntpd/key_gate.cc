#include "ntpd/key_gate.h"

#include <algorithm>
#include <memory>
#include <utility>
#include <vector>

#include "base/check.h"
#include "ntp/server/prefix_tree.h"
#include "sys/random.h"

namespace timepool::ntpd {
namespace {

ntp::LimiterSeed make_seed() {
  return {{sys::random_u64(), sys::random_u64()}, sys::random_u64()};
}

ntp::LimitSettings rates_of(const config::NtsLimitsConfig& config) {
  using ntp::Network;
  using timepool::BucketRate;
  const auto bucket = [](double rate, std::int64_t burst) {
    return BucketRate::of(rate, static_cast<double>(burst));
  };
  ntp::LimitSettings out;
  const auto network = [&out](Network it) -> BucketRate& {
    return out.networks[static_cast<std::size_t>(it)];
  };
  // Nobody is let in against the limits, as NTP's leak does: who is refused is told so at once, and
  // whoever has a connection is who it says.
  out.enabled = true;
  out.address = bucket(config.address_rate, config.address_burst);
  network(Network::kV4Of24) = bucket(config.v4_24_rate, config.v4_24_burst);
  network(Network::kV6Of64) = bucket(config.v6_64_rate, config.v6_64_burst);
  network(Network::kV6Of56) = bucket(config.v6_56_rate, config.v6_56_burst);
  network(Network::kV6Of48) = bucket(config.v6_48_rate, config.v6_48_burst);
  std::vector<ntp::PrefixTree::Entry> exempt;
  for (const Prefix& prefix : config.exempt) exempt.push_back({prefix, 1});
  // The schema takes far fewer than a tree does.
  out.exempt = std::make_shared<ntp::PrefixTree>(ntp::PrefixTree::build(exempt).value());
  return out;
}

}  // namespace

KeyGate::KeyGate(const config::NtsLimitsConfig& config, std::size_t most)
    : most_(most), limiter_(static_cast<std::size_t>(config.clients), make_seed()) {
  take_settings(config);
}

void KeyGate::take_settings(const config::NtsLimitsConfig& config) {
  config_ = config;
  config_.connections = std::min(config_.connections, most_);
  rates_ = rates_of(config);
}

void KeyGate::set(const config::NtsLimitsConfig& config) {
  const std::lock_guard lock(mutex_);
  // Counted are all levels, limited or not, so that connections from before are known.
  take_settings(config);
}

std::array<KeyGate::Level, 2> KeyGate::levels_of(const IpAddress& from) const {
  const ntp::AddressKey key = ntp::key_of(from);
  if (from.is_v4()) {
    return {{{key, config_.v4_32_connections},
             {ntp::key_of(ntp::Network::kV4Of24, key), config_.v4_24_connections}}};
  }
  return {{{ntp::key_of(ntp::Network::kV6Of56, key), config_.v6_56_connections},
           {ntp::key_of(ntp::Network::kV6Of48, key), config_.v6_48_connections}}};
}

bool KeyGate::is_exempt(const IpAddress& from) const {
  return rates_.exempt->find(from) == 1;
}

Admission KeyGate::admit(const IpAddress& from, MonoTime now) {
  const std::lock_guard lock(mutex_);
  const std::array<Level, 2> levels = levels_of(from);
  if (!is_exempt(from)) {
    for (const Level& level : levels) {
      const auto at = of_network_.find(level.key);
      if (level.limit != 0 && at != of_network_.end() && at->second >= level.limit) {
        return Admission::kNetworkFull;
      }
    }
  }
  if (open_ >= config_.connections) return Admission::kFull;
  constexpr std::uint8_t kVersion = 4;
  constexpr std::uint8_t kClient = 3;
  // Threads come in another order than they looked at the clock.
  latest_ = std::max(latest_, now);
  if (limiter_.judge({from, kVersion, kClient}, latest_, rates_) != ntp::LimitVerdict::kPass) {
    return Admission::kRate;
  }
  ++open_;
  for (const Level& level : levels) ++of_network_[level.key];
  return Admission::kYes;
}

void KeyGate::leave(const IpAddress& from) {
  const std::lock_guard lock(mutex_);
  CHECK(open_ > 0);
  --open_;
  for (const Level& level : levels_of(from)) {
    const auto at = of_network_.find(level.key);
    CHECK(at != of_network_.end());
    if (--at->second == 0) of_network_.erase(at);
  }
}

std::size_t KeyGate::open() const {
  const std::lock_guard lock(mutex_);
  return open_;
}

std::size_t KeyGate::limit() const {
  const std::lock_guard lock(mutex_);
  return config_.connections;
}

}  // namespace timepool::ntpd
