// Who stands at a name of the pool, and with which weight: a country's own servers, servers of the
// nearest countries where its own are too few or too small (backfill), and no server, account,
// autonomous system or network with more than its share (caps). Without the first a lone server of
// a country gets all of that country's clients; without the second one rich operator does.
//
// Deterministic: the same servers give the same selection, and one that comes or goes moves few
// others (rendezvous hashing).
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/ip.h"

namespace timepool::pool {

struct Candidate {
  IpAddress address;
  std::string country;         // ISO 3166 alpha-2 in lower case, "" when unknown
  std::string continent;       // "north-america", "" when unknown
  std::uint32_t netspeed = 0;  // kbit/s; the weight
  bool in_pool = false;
  double score = 0;
  std::uint64_t account = 0;  // whose it is; 0: not known, never capped
  std::uint32_t asn = 0;      // autonomous system; 0: not known, never capped
};

struct SelectionSettings {
  // A name with fewer servers of a family, or with less capacity, is filled up from the nearest
  // countries. Both 0: names have their own servers only.
  std::uint32_t min_servers = 16;
  std::uint64_t min_capacity = 100'000;  // kbit/s, the sum of the netspeeds
  // Countries farther away fill up only a name that has no server at all.
  std::uint32_t max_distance_km = 8000;
  // The share of a name's weight, above 0 to 1, that one server or one group of them may have;
  // 1 is no cap. Of n groups none is held below 2 / n: caps even out, they can't make servers.
  double max_server_share = 0.25;
  double max_network_share = 0.35;  // of an IPv4 /24 or an IPv6 /48
  double max_account_share = 0.5;
  double max_asn_share = 0.5;
  bool operator==(const SelectionSettings&) const = default;
};

struct Member {
  IpAddress address;
  std::uint32_t weight = 0;  // at least 1, at most the server's netspeed
  bool own = true;           // of the name's own country or continent, not backfill
  auto operator<=>(const Member&) const = default;
};

// The servers of one family that can be chosen, by country. They must outlive it.
class Choice {
 public:
  explicit Choice(std::span<const Candidate* const> servers);

  // Of a country: its own servers, then those of the nearest countries.
  std::vector<Member> of_country(std::string_view country, const SelectionSettings& settings) const;
  // Of a continent, or of the world ("").
  std::vector<Member> of_continent(std::string_view continent,
                                   const SelectionSettings& settings) const;

  std::size_t count_of_country(std::string_view country) const;
  std::size_t count_of_continent(std::string_view continent) const;

 private:
  using Servers = std::vector<const Candidate*>;
  const Servers* find(std::string_view country) const;

  Servers all_;
  std::map<std::string, Servers, std::less<>> by_country_;
  std::map<std::string, Servers, std::less<>> by_continent_;
};

// Lowers weights until no group has more than its share: `group[i]` is the group of `weights[i]`, 0
// for none. The others keep theirs. Shares are of the sum after it. Returns whether any changed.
bool cap_shares(std::span<double> weights, std::span<const std::uint64_t> group, double share);

}  // namespace timepool::pool
