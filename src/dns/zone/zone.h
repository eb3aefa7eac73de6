// Zone: what a zone document says, be it in geodns' JSON format (load_zone) or a standard master
// file (master_file.h), checked and with its records in wire form, but not yet arranged for
// answering (compiled.h does that). A plain value.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/byte_reader.h"
#include "base/result.h"
#include "dns/zone/json_place.h"
#include "dns/zone/weighted.h"
#include "wire/dns/constants.h"
#include "wire/dns/name.h"

namespace timepool::dns {

// The levels at which a zone's labels are looked for, most specific first in this order: the
// client's address, its /24 or /48, autonomous system, region, group of regions, country,
// continent, and the plain label.
struct Targeting {
  bool ip = false;
  bool asn = false;
  bool country = true;
  bool continent = true;
  bool global = true;
  bool region = false;
  bool regiongroup = false;
  bool operator==(const Targeting&) const = default;
};

struct ZoneRecord {
  std::vector<std::byte> rdata;
  std::uint32_t weight = 0;
  bool operator==(const ZoneRecord&) const = default;
};

struct RecordSet {
  wire::dns::RrType type = wire::dns::RrType::kA;
  std::vector<ZoneRecord> records;
  std::optional<std::uint32_t> ttl{};  // else the label's, else the zone's
  // What says whether a record is healthy, "FILE/KEY" (health.h), as many as there are records;
  // an empty text: nothing does. No list: no record has one.
  std::vector<std::string> tests{};
  bool operator==(const RecordSet&) const = default;
};

struct Label {
  // Lower case, relative to the zone: "", "0", "0.us", "www.[192.0.2.0]". Octets that are no
  // letters, digits or simple signs are \DDD, so that a dot is always one between labels.
  std::string name;
  std::optional<std::uint32_t> ttl;
  std::uint32_t max_hosts = 0;
  std::optional<std::string> alias;  // another label's name
  bool closest = false;              // addresses near the client (closest.h) instead of all
  std::vector<RecordSet> sets;       // at most one of a type, none empty

  const RecordSet* find(wire::dns::RrType type) const {
    for (const RecordSet& set : sets) {
      if (set.type == type) return &set;
    }
    return nullptr;
  }
};

struct Zone {
  wire::dns::DnsName origin;  // lower case
  std::uint32_t serial = 0;
  std::uint32_t ttl = 120;
  std::uint32_t expire = 14 * 86'400;  // in the SOA, where it is not the file's
  std::uint32_t max_hosts = 2;
  wire::dns::DnsName contact;
  Targeting targeting;
  // A master file's: every record of a set is given, and the SOA is the file's own.
  bool plain = false;
  std::vector<std::byte> soa;  // its data, where `plain`
  std::uint32_t soa_ttl = 0;
  std::uint32_t soa_minimum = 3600;   // RFC 2308 4: bounds the TTL of negative answers
  std::vector<Label> labels;          // by name, each once
  std::vector<std::string> warnings;  // what the document asks for that has no effect

  const Label* find(std::string_view name) const;
};

// The SOA that is answered: the file's, or geodns' synthesised one, whose TTL is ten times the
// zone's, and an hour and its minimum at most: a signature over it has the same in every answer.
std::vector<std::byte> soa_data(const Zone& zone);
std::uint32_t soa_ttl(const Zone& zone);

// How often a secondary asks for our serial and asks again (RFC 1035 3.3.13: refresh and retry)
// when it gives the zone up after `expire` seconds: `wanted`, or four times in that time.
constexpr std::uint32_t refresh_within(std::uint32_t wanted, std::uint32_t expire) {
  return std::min(wanted, std::max(expire / 4, 1U));
}

// Where a document is wrong and how.
struct ZoneError {
  TextPlace place;
  std::string text;    // "data/us/a/3: weight is negative"
  std::string file{};  // where it is in another than the document itself: an included one
};
// "FILE:LINE:COLUMN: TEXT"
std::string format(const ZoneError& error, std::string_view file);

// Named limits of a document; past one it is refused with a text that names it.
inline constexpr std::size_t kMaxZoneText = std::size_t{64} << 20;
inline constexpr std::size_t kMaxLabels = 500'000;
inline constexpr std::size_t kMaxRecordsPerSet = kMaxItems;
inline constexpr std::size_t kMaxRdata = 4096;
inline constexpr std::uint32_t kMaxTtl = 0x7fff'ffff;  // RFC 2181 8

// `name`, which is in the zone `origin`, as Label::name has it.
std::string label_name(wire::dns::NameView name, wire::dns::NameView origin);

// Reads `json` as the zone `origin` ("pool.test"). `default_serial` stands where the document has
// no serial; geodns takes the file's modification time.
Result<Zone, ZoneError> load_zone(std::string_view json, std::string_view origin,
                                  std::uint32_t default_serial);

}  // namespace timepool::dns
