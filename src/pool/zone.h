// The pool's DNS zone: which servers stand under which name with which weight, and its text in
// geodns' JSON zone format, which dnsd and geodns load unchanged.
//
// Names, as the NTP Pool has them: "" (global), a label per continent and per country, and "0" to
// "3" below each. A and AAAA stand on every one of them (the NTP Pool has AAAA on "2." only).
// Which servers stand at a name: selection.h. Deterministic: the same servers give the same zone,
// so that nothing changes without a cause.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/ip.h"
#include "pool/nts_zone.h"
#include "pool/selection.h"

namespace timepool::pool {

inline constexpr int kNumberedNames = 4;

struct NameServerHost {
  std::string label;  // below the zone: "ns1"
  std::vector<IpAddress> addresses;
};

struct Territory {
  std::string country;    // ISO 3166 alpha-2 in lower case
  std::string continent;  // "africa"
};

struct ZoneSettings {
  std::string name = "pool.test";
  std::uint32_t ttl = 150;          // seconds, as the NTP Pool's
  std::uint32_t negative_ttl = 60;  // seconds: of the answer that there is nothing
  std::uint32_t max_hosts = 4;
  std::string contact;                    // "hostmaster.pool.test"; "" is that of the zone
  std::vector<std::string> name_servers;  // full names, with or without the last dot
  std::vector<NameServerHost> hosts;
  double min_score = 10;
  // A family of a name is split over its numbered names only from this many servers in each on.
  std::uint32_t min_per_number = 2;
  SelectionSettings selection;
  // Countries whose clients get a name of their own when nearer servers than their continent's
  // can be had, though none is in the country itself.
  std::vector<Territory> territories;
  NtsSettings nts;
};

// Why a server is or is not in DNS.
enum class Inclusion : std::uint8_t { kIncluded, kNotInPool, kNoNetspeed, kLowScore };
Inclusion inclusion_of(const Candidate& server, const ZoneSettings& settings);
std::string_view name_of(Inclusion inclusion);

// The labels of the server's zones, most specific first: {"uk", "europe", "@"}.
std::vector<std::string> zones_of(const Candidate& server);

// The pool's name of a country: "gb" is "uk", everything else is itself.
std::string_view zone_of_country(std::string_view country);

struct WeightedAddress {
  IpAddress address;
  std::uint32_t weight = 0;
  auto operator<=>(const WeightedAddress&) const = default;
};

// How a name came by its servers of one family.
struct FamilyReport {
  std::uint32_t own = 0;       // servers of the country or continent itself
  std::uint32_t filled = 0;    // servers of others
  std::uint64_t capacity = 0;  // kbit/s: the weights' sum
  std::uint64_t capped = 0;    // kbit/s that caps took away
  bool operator==(const FamilyReport&) const = default;
};
struct NameReport {
  FamilyReport v4;
  FamilyReport v6;
  FamilyReport nts;  // the names that stand in the SRV records
  bool operator==(const NameReport&) const = default;
};

struct Label {
  std::vector<WeightedAddress> a;     // by address
  std::vector<WeightedAddress> aaaa;  // by address
  std::string alias;                  // when set, nothing else is
  std::vector<ServiceRecord> srv{};
  std::vector<std::string> caa{};  // as in a master file
  std::uint32_t ttl = 0;           // 0: the zone's
  std::uint32_t max_hosts = 0;     // 0: the zone's
  auto operator<=>(const Label&) const = default;
};

struct Zone {
  std::string name;
  std::uint32_t ttl = 0;
  std::uint32_t negative_ttl = 0;
  std::uint32_t max_hosts = 0;
  std::string contact;
  std::vector<std::string> name_servers;      // with the last dot
  std::map<std::string, Label> labels;        // "" is the apex
  std::map<std::string, NameReport> reports;  // by label, without the numbered ones and aliases
  bool operator==(const Zone&) const = default;
};

// `named`: one for each name of a server for NTS.
Zone build_zone(std::span<const Candidate> servers, const ZoneSettings& settings,
                std::span<const NamedServer> named = {});

// The zone file; `serial` becomes the SOA's.
std::string to_geodns_json(const Zone& zone, std::uint32_t serial);

// Splits `servers` into kNumberedNames groups whose sizes differ by one at the most. A server's
// group depends on its address and the label and moves seldom when others come and go, while the
// NTP Pool deals all of them anew at each export.
std::vector<std::vector<WeightedAddress>> split_numbered(std::string_view label,
                                                         std::span<const WeightedAddress> servers);

// `text` with what JSON wants escaped (RFC 8259 7), without the quotation marks.
std::string json_escaped(std::string_view text);

}  // namespace timepool::pool
