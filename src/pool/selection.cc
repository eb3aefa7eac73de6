#include "pool/selection.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <set>

#include "base/byte_writer.h"
#include "base/check.h"
#include "base/siphash.h"
#include "pool/country_place.h"

namespace timepool::pool {
namespace {

// Not a secret: the hash only has to be the same everywhere and spread evenly.
constexpr SiphashKey kFillKey{0x74696d65706f6f6cULL, 0x6261636b66696c6cULL};

// A filling server's place in the order for `name`: the smallest come first. -ln(u) / weight with u
// even in (0, 1] makes each first in proportion to its weight (weighted rendezvous).
double fill_order(std::string_view name, const Candidate& server) {
  std::array<std::byte, 128> buffer{};
  ByteWriter writer(buffer);
  writer.bytes(server.address.bytes());
  writer.text(name.substr(0, 64));
  const std::uint64_t hash = siphash24(kFillKey, writer.written());
  const double even = (static_cast<double>(hash >> 11) + 1) * 0x1p-53;
  return -std::log(even) / std::max<double>(server.netspeed, 1);
}

// Servers in the making of a name.
class Filling {
 public:
  Filling(std::string_view name, const SelectionSettings& settings)
      : name_(name), settings_(settings) {}

  void add(const Candidate& server, bool own) {
    servers_.push_back(&server);
    own_.push_back(own);
    capacity_ += server.netspeed;
  }
  bool enough() const {
    return servers_.size() >= settings_.min_servers && capacity_ >= settings_.min_capacity;
  }
  bool empty() const { return servers_.empty(); }
  // As many of `from` as are wanting.
  void fill(const std::vector<const Candidate*>& from) {
    std::vector<std::pair<double, const Candidate*>> order;
    order.reserve(from.size());
    for (const Candidate* server : from) order.emplace_back(fill_order(name_, *server), server);
    std::sort(order.begin(), order.end(), [](const auto& a, const auto& b) {
      return a.first != b.first ? a.first < b.first : a.second->address < b.second->address;
    });
    for (const auto& [key, server] : order) {
      if (enough()) return;
      add(*server, false);
    }
  }

  std::vector<Member> members() const;

 private:
  std::string_view name_;
  const SelectionSettings& settings_;
  std::vector<const Candidate*> servers_;
  std::vector<bool> own_;
  std::uint64_t capacity_ = 0;
};

std::uint64_t network_of(const IpAddress& address) {
  const Prefix prefix(address, address.is_v4() ? 24 : 48);
  return siphash24(kFillKey, prefix.base().bytes()) | 1;  // 0 would be none
}

std::vector<Member> Filling::members() const {
  const std::size_t count = servers_.size();
  std::vector<double> weights(count);
  std::array<std::vector<std::uint64_t>, 4> groups;
  for (auto& group : groups) group.resize(count);
  for (std::size_t i = 0; i < count; ++i) {
    weights[i] = servers_[i]->netspeed;
    groups[0][i] = i + 1;
    groups[1][i] = network_of(servers_[i]->address);
    groups[2][i] = servers_[i]->account;
    groups[3][i] = servers_[i]->asn;
  }
  const std::array shares{settings_.max_server_share, settings_.max_network_share,
                          settings_.max_account_share, settings_.max_asn_share};
  // A cap on one kind of group makes the others' shares larger. Weights only fall, and a round
  // that changes none is the last.
  constexpr int kMaxRounds = 64;
  bool changed = true;
  for (int round = 0; round < kMaxRounds && changed; ++round) {
    changed = false;
    for (std::size_t kind = 0; kind < groups.size(); ++kind) {
      changed = cap_shares(weights, groups[kind], shares[kind]) || changed;
    }
  }
  std::vector<Member> out;
  out.reserve(count);
  for (std::size_t i = 0; i < count; ++i) {
    const auto weight = static_cast<std::uint32_t>(std::max(1.0, std::floor(weights[i])));
    out.push_back({servers_[i]->address, weight, own_[i]});
  }
  std::sort(out.begin(), out.end());
  return out;
}

}  // namespace

bool cap_shares(std::span<double> weights, std::span<const std::uint64_t> group, double share) {
  CHECK(weights.size() == group.size());
  std::map<std::uint64_t, double> sums;
  double total = 0;
  std::size_t groups = 0;
  for (std::size_t i = 0; i < weights.size(); ++i) {
    total += weights[i];
    if (group[i] == 0) {
      ++groups;  // each by itself counts as one that shares
    } else {
      sums[group[i]] += weights[i];
    }
  }
  groups += sums.size();
  if (groups == 0) return false;
  share = std::min(1.0, std::max(share, 2.0 / static_cast<double>(groups)));
  std::vector<double> largest;
  for (const auto& [key, sum] : sums) largest.push_back(sum);
  std::sort(largest.begin(), largest.end(), std::greater<>());
  // With the k largest at the limit t, t = share * (k * t + rest); the first k that leaves none of
  // the others above t is the answer.
  double rest = total;
  double limit = std::numeric_limits<double>::infinity();
  for (std::size_t k = 0; k <= largest.size(); ++k) {
    const double left = 1 - static_cast<double>(k) * share;
    if (left <= 0) break;
    limit = share * rest / left;
    if (k == largest.size() || largest[k] <= limit) break;
    rest -= largest[k];
  }
  constexpr double kTolerance = 1 + 1e-9;
  bool changed = false;
  for (std::size_t i = 0; i < weights.size(); ++i) {
    if (group[i] == 0) continue;
    const double sum = sums[group[i]];
    if (sum <= limit * kTolerance) continue;
    weights[i] *= limit / sum;
    changed = true;
  }
  return changed;
}

Choice::Choice(std::span<const Candidate* const> servers) : all_(servers.begin(), servers.end()) {
  for (const Candidate* server : servers) {
    if (!server->country.empty()) by_country_[server->country].push_back(server);
    if (!server->continent.empty()) by_continent_[server->continent].push_back(server);
  }
}

const Choice::Servers* Choice::find(std::string_view country) const {
  const auto at = by_country_.find(country);
  return at == by_country_.end() ? nullptr : &at->second;
}

std::size_t Choice::count_of_country(std::string_view country) const {
  const Servers* own = find(country);
  return own == nullptr ? 0 : own->size();
}

std::size_t Choice::count_of_continent(std::string_view continent) const {
  if (continent.empty()) return all_.size();
  const auto at = by_continent_.find(continent);
  return at == by_continent_.end() ? 0 : at->second.size();
}

std::vector<Member> Choice::of_country(std::string_view country,
                                       const SelectionSettings& settings) const {
  Filling out(country, settings);
  if (const Servers* own = find(country); own != nullptr) {
    for (const Candidate* server : *own) out.add(*server, true);
  }
  const std::optional<Place> here = place_of_country(country);
  if (out.enough() || !here) return out.members();
  std::vector<std::pair<std::uint32_t, const Servers*>> near;
  for (const auto& [name, servers] : by_country_) {
    if (name == country) continue;
    if (const auto place = place_of_country(name)) {
      near.emplace_back(distance_km(*here, *place), &servers);
    }
  }
  std::stable_sort(near.begin(), near.end(),
                   [](const auto& a, const auto& b) { return a.first < b.first; });
  for (const auto& [distance, servers] : near) {
    if (distance > settings.max_distance_km && !out.empty()) break;
    out.fill(*servers);
  }
  return out.members();
}

std::vector<Member> Choice::of_continent(std::string_view continent,
                                         const SelectionSettings& settings) const {
  Filling out(continent, settings);
  std::set<const Candidate*> own;
  if (continent.empty()) {
    own.insert(all_.begin(), all_.end());
  } else if (const auto at = by_continent_.find(continent); at != by_continent_.end()) {
    own.insert(at->second.begin(), at->second.end());
  }
  Servers others;
  for (const Candidate* server : all_) {
    if (own.contains(server)) {
      out.add(*server, true);
    } else {
      others.push_back(server);
    }
  }
  // A continent has no place: the whole world helps alike.
  out.fill(others);
  return out.members();
}

}  // namespace timepool::pool
