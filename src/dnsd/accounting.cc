#include "dnsd/accounting.h"

#include <algorithm>
#include <atomic>
#include <utility>

namespace timepool::dnsd {
namespace {

using dns::CompiledZones;

IpAddress address_of(const CompiledZones& zones, const CompiledZones::Set& set,
                     std::uint32_t index) {
  const Bytes data = zones.record(set, index).subspan(CompiledZones::kRecordHead);
  return IpAddress::from_bytes(data);
}

}  // namespace

std::uint32_t Accounting::zone_index(const std::string& name) {
  const auto [at, added] =
      zone_indexes_.try_emplace(name, static_cast<std::uint32_t>(zones_.size()));
  if (added) zones_.push_back({name, {}, 0});
  return at->second;
}

Accounting::Server* Accounting::server(std::uint32_t zone, const IpAddress& address) {
  const auto at = servers_.find({zone, address});
  if (at != servers_.end()) return &at->second;
  if (servers_.size() >= kMaxServers) return nullptr;
  return &servers_[{zone, address}];
}

std::shared_ptr<Tally> Accounting::begin(std::shared_ptr<const CompiledZones> zones) {
  const std::lock_guard lock(mutex_);
  Live live;
  live.tally = std::make_shared<Tally>(std::move(zones), lanes_);
  const CompiledZones& compiled = live.tally->zones();
  for (const auto& zone : compiled.zones()) live.zones.push_back(zone_index(format(zone.origin)));
  live.record_zone.resize(live.tally->records(), kNone);
  live.servers.resize(live.tally->records(), nullptr);
  live.last_records.resize(live.tally->records(), 0);
  live.last_queries.resize(compiled.zones().size() * kZoneEnds, 0);
  for (const auto& set : compiled.sets()) {
    if (!set.is_pool()) continue;
    for (std::uint32_t i = 0; i < set.count; ++i) {
      const std::uint32_t zone = live.zones[set.zone];
      live.record_zone[set.weights + i] = zone;
      live.servers[set.weights + i] = server(zone, address_of(compiled, set, i));
    }
  }
  live_.push_back(std::move(live));
  return live_.back().tally;
}

void Accounting::collect(Live& live) {
  for (std::size_t i = 0; i < live.last_records.size(); ++i) {
    const std::uint32_t now = live.tally->handed(i);
    const std::uint32_t more = now - live.last_records[i];
    if (more == 0 || live.record_zone[i] == kNone) continue;
    live.last_records[i] = now;
    zones_[live.record_zone[i]].handed += more;
    if (live.servers[i] != nullptr) live.servers[i]->handed += more;
  }
  for (std::size_t i = 0; i < live.last_queries.size(); ++i) {
    const std::size_t end = i % kZoneEnds;
    const std::uint32_t now = live.tally->queries(i / kZoneEnds, static_cast<ZoneEnd>(end));
    zones_[live.zones[i / kZoneEnds]].queries[end] += now - live.last_queries[i];
    live.last_queries[i] = now;
  }
}

void Accounting::collect() {
  const std::lock_guard lock(mutex_);
  for (std::size_t i = 0; i < live_.size();) {
    // Nobody else has it: what its workers wrote before they let go of it is seen behind the fence.
    const bool over = live_[i].tally.use_count() == 1;
    std::atomic_thread_fence(std::memory_order_acquire);
    collect(live_[i]);
    if (over) {
      live_.erase(live_.begin() + static_cast<std::ptrdiff_t>(i));
    } else {
      ++i;
    }
  }
}

std::vector<ZoneCount> Accounting::zones() const {
  const std::lock_guard lock(mutex_);
  return zones_;
}

std::vector<ServerCount> Accounting::servers() const {
  const std::lock_guard lock(mutex_);
  std::vector<ServerCount> out;
  out.reserve(servers_.size());
  for (const auto& [key, server] : servers_) {
    out.push_back({zones_[key.zone].zone, key.address, server.handed});
  }
  return out;
}

Accounting::Top Accounting::top(std::size_t most) const {
  Top out;
  std::map<IpAddress, std::uint64_t> by_address;
  {
    const std::lock_guard lock(mutex_);
    for (const ZoneCount& zone : zones_) out.all += zone.handed;
    for (const auto& [key, server] : servers_) by_address[key.address] += server.handed;
  }
  for (const auto& [address, handed] : by_address) out.servers.push_back({"", address, handed});
  most = std::min(most, out.servers.size());
  std::partial_sort(out.servers.begin(), out.servers.begin() + static_cast<std::ptrdiff_t>(most),
                    out.servers.end(), [](const ServerCount& a, const ServerCount& b) {
                      return std::pair(b.handed, a.address) < std::pair(a.handed, b.address);
                    });
  out.servers.resize(most);
  return out;
}

std::vector<ServerCount> Accounting::take(std::size_t most) {
  const std::lock_guard lock(mutex_);
  std::vector<ServerCount> out;
  for (auto& [key, server] : servers_) {
    if (out.size() == most) break;
    if (server.handed == server.taken) continue;
    out.push_back({zones_[key.zone].zone, key.address, server.handed - server.taken});
    server.taken = server.handed;
  }
  return out;
}

}  // namespace timepool::dnsd
