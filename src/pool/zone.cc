#include "pool/zone.h"

#include <algorithm>
#include <array>
#include <set>

#include "base/byte_writer.h"
#include "base/siphash.h"

namespace timepool::pool {
namespace {

// Not a secret: the hash only has to be the same everywhere and spread evenly.
constexpr SiphashKey kSplitKey{0x74696d65706f6f6cULL, 0x7375627a6f6e6573ULL};

std::uint64_t split_hash(std::string_view label, const IpAddress& address, std::uint8_t salt) {
  std::array<std::byte, 128> buffer{};
  ByteWriter writer(buffer);
  writer.u8(salt);
  writer.bytes(address.bytes());
  writer.text(label.substr(0, 64));
  return siphash24(kSplitKey, writer.written());
}

std::string with_dot(std::string_view name) {
  std::string out(name);
  if (out.empty() || out.back() != '.') out += '.';
  return out;
}

std::string numbered(int number, std::string_view label) {
  std::string out = std::to_string(number);
  if (!label.empty()) out.append(".").append(label);
  return out;
}

using Family = std::vector<WeightedAddress> Label::*;

void add_family(Zone& zone, std::string_view label, Family family,
                const std::vector<WeightedAddress>& servers, const ZoneSettings& settings) {
  if (servers.empty()) return;
  zone.labels[std::string(label)].*family = servers;
  const bool whole = servers.size() < std::size_t{settings.min_per_number} * kNumberedNames;
  const auto groups = split_numbered(label, servers);
  for (int i = 0; i < kNumberedNames; ++i) {
    zone.labels[numbered(i, label)].*family = whole ? servers : groups[static_cast<std::size_t>(i)];
  }
}

void add_name(Zone& zone, const std::string& label, bool v4, const std::vector<Member>& members,
              std::uint64_t netspeeds, const ZoneSettings& settings) {
  if (members.empty()) return;
  std::vector<WeightedAddress> servers;
  FamilyReport report;
  for (const Member& member : members) {
    servers.push_back({member.address, member.weight});
    ++(member.own ? report.own : report.filled);
    report.capacity += member.weight;
  }
  report.capped = netspeeds - report.capacity;
  NameReport& of_name = zone.reports[label];
  (v4 ? of_name.v4 : of_name.v6) = report;
  add_family(zone, label, v4 ? &Label::a : &Label::aaaa, servers, settings);
}

// The names that servers of one family stand at.
void add_names(Zone& zone, std::span<const Candidate> servers, const ZoneSettings& settings,
               bool v4) {
  std::vector<const Candidate*> chosen;
  std::set<std::string> countries;
  std::set<std::string> continents{""};
  std::map<IpAddress, std::uint32_t> netspeeds;
  for (const Candidate& server : servers) {
    if (server.address.is_v4() != v4) continue;
    if (inclusion_of(server, settings) != Inclusion::kIncluded) continue;
    chosen.push_back(&server);
    netspeeds[server.address] = server.netspeed;
    if (!server.country.empty()) countries.insert(server.country);
    if (!server.continent.empty()) continents.insert(server.continent);
  }
  const Choice choice(chosen);
  // Where the continent has hardly more than a name needs, a country's name would say the same.
  for (const Territory& territory : settings.territories) {
    if (choice.count_of_continent(territory.continent) > settings.selection.min_servers) {
      countries.insert(territory.country);
    }
  }
  const auto add = [&](const std::string& label, const std::vector<Member>& members) {
    std::uint64_t sum = 0;
    for (const Member& member : members) sum += netspeeds.at(member.address);
    add_name(zone, label, v4, members, sum, settings);
  };
  for (const std::string& country : countries) {
    add(std::string(zone_of_country(country)), choice.of_country(country, settings.selection));
  }
  for (const std::string& continent : continents) {
    add(continent, choice.of_continent(continent, settings.selection));
  }
}

// Resolvers in Britain are looked up as "gb" (ISO 3166), while the pool's name has been "uk" since
// before there was targeting: one is an alias of the other.
void add_british_alias(Zone& zone) {
  for (int i = -1; i < kNumberedNames; ++i) {
    const std::string target = i < 0 ? "uk" : numbered(i, "uk");
    const std::string from = i < 0 ? "gb" : numbered(i, "gb");
    if (zone.labels.contains(target)) zone.labels[from].alias = target;
  }
}

}  // namespace

Inclusion inclusion_of(const Candidate& server, const ZoneSettings& settings) {
  if (!server.in_pool) return Inclusion::kNotInPool;
  if (server.netspeed == 0) return Inclusion::kNoNetspeed;
  if (!(server.score >= settings.min_score)) return Inclusion::kLowScore;
  return Inclusion::kIncluded;
}

std::string_view name_of(Inclusion inclusion) {
  constexpr std::array<std::string_view, 4> kNames{"in_dns", "not_in_pool", "no_netspeed",
                                                   "low_score"};
  return kNames[static_cast<std::size_t>(inclusion)];
}

std::string_view zone_of_country(std::string_view country) {
  return country == "gb" ? std::string_view("uk") : country;
}

std::vector<std::string> zones_of(const Candidate& server) {
  std::vector<std::string> out;
  if (!server.country.empty()) out.emplace_back(zone_of_country(server.country));
  if (!server.continent.empty()) out.push_back(server.continent);
  out.emplace_back("@");
  return out;
}

std::vector<std::vector<WeightedAddress>> split_numbered(std::string_view label,
                                                         std::span<const WeightedAddress> servers) {
  struct Placed {
    std::uint64_t order;
    const WeightedAddress* server;
  };
  std::vector<Placed> order;
  for (const WeightedAddress& server : servers) {
    order.push_back({split_hash(label, server.address, 255), &server});
  }
  std::sort(order.begin(), order.end(), [](const Placed& a, const Placed& b) {
    return a.order != b.order ? a.order < b.order : *a.server < *b.server;
  });

  std::vector<std::vector<WeightedAddress>> groups(kNumberedNames);
  const std::size_t floor = servers.size() / kNumberedNames;
  std::size_t extras = servers.size() % kNumberedNames;  // groups that may hold one more
  for (const Placed& placed : order) {
    // Rendezvous hashing: each server has its own order of preference among the groups.
    std::array<std::pair<std::uint64_t, std::size_t>, kNumberedNames> wish{};
    for (std::size_t i = 0; i < wish.size(); ++i) {
      wish[i] = {split_hash(label, placed.server->address, static_cast<std::uint8_t>(i)), i};
    }
    std::sort(wish.begin(), wish.end());
    for (const auto& [hash, index] : wish) {
      const bool extra = groups[index].size() == floor && extras > 0;
      if (groups[index].size() >= floor && !extra) continue;
      if (extra) --extras;
      groups[index].push_back(*placed.server);
      break;
    }
  }
  for (auto& group : groups) std::sort(group.begin(), group.end());
  return groups;
}

Zone build_zone(std::span<const Candidate> servers, const ZoneSettings& settings,
                std::span<const NamedServer> named) {
  Zone zone;
  zone.name = settings.name;
  zone.ttl = settings.ttl;
  zone.negative_ttl = settings.negative_ttl;
  zone.max_hosts = settings.max_hosts;
  zone.contact = settings.contact.empty() ? "hostmaster." + settings.name : settings.contact;
  for (const std::string& name : settings.name_servers) zone.name_servers.push_back(with_dot(name));

  zone.labels[""];
  for (const bool v4 : {true, false}) add_names(zone, servers, settings, v4);
  add_british_alias(zone);
  add_nts_names(zone, named, settings);
  for (const NameServerHost& host : settings.hosts) {
    Label& label = zone.labels[host.label];
    for (const IpAddress& address : host.addresses) {
      (address.is_v4() ? label.a : label.aaaa).push_back({address, 1});
    }
  }
  return zone;
}

}  // namespace timepool::pool
