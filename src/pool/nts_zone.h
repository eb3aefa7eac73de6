// What servers with names for NTS put into the zone: their names with their addresses, who may
// issue certificates for them (CAA, RFC 8659 and RFC 8657), and the SRV records by which clients
// find them (RFC 2782, RFC 8915 7.1): draft-ladd-nts-for-ntp-pool.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/ip.h"
#include "pool/selection.h"

namespace timepool::pool {

struct Zone;
struct ZoneSettings;

// More addresses would not fit an answer beside their signature; nobody's server has as many.
inline constexpr std::size_t kMaxNameAddresses = 8;
inline constexpr std::uint16_t kNtskePort = 4460;  // RFC 8915 7.1
// The greatest weight of an SRV record; the zone's heaviest has it.
inline constexpr std::uint32_t kMaxSrvWeight = 65'535;

struct NtsSettings {
  // The labels between a server's and the zone: "m" for alice.m.pool.test. Empty: no names.
  std::string parent;
  // Domains of the authorities that may issue (RFC 8659 4.2); none: any may.
  std::vector<std::string> authorities;
  std::vector<std::string> methods{"http-01", "tls-alpn-01"};  // RFC 8657 4; none: any
  std::uint32_t ttl = 60;                                      // of all records here, in seconds
  std::uint32_t max_targets = 4;                               // SRV records in one answer
  bool operator==(const NtsSettings&) const = default;
};

// One name with all servers that have it.
struct NamedServer {
  std::string
      label;  // below the parent; empty: its owner's own name, whose addresses are elsewhere
  std::string target;                     // the whole name, without the last dot
  std::vector<IpAddress> addresses;       // at most kMaxNameAddresses
  std::vector<std::string> account_uris;  // of the authorities' accounts; none: any may order
  std::uint16_t port = kNtskePort;
  // Every one of its servers is fit for the pool and its NTS was found to work.
  bool listed = false;
  // For the SRV records: the heaviest of its servers.
  Candidate candidate;
};

// An SRV record.
struct ServiceRecord {
  std::string target;  // with the last dot
  std::uint16_t port = 0;
  std::uint16_t srv_weight = 0;  // the record's own: how a client chooses (RFC 2782)
  std::uint32_t weight = 0;      // by which answers are drawn; 0: every answer has all
  auto operator<=>(const ServiceRecord&) const = default;
};

// Adds them all to `zone`, which has its other names already: names get SRV records where they have
// servers, so that whoever asks for a country's servers can ask for those with NTS alike. `named`:
// one for each name.
void add_nts_names(Zone& zone, std::span<const NamedServer> named, const ZoneSettings& settings);

// The CAA records of a member's name, in the form of a master file.
std::vector<std::string> caa_of(const NamedServer& server, const NtsSettings& settings);

}  // namespace timepool::pool
