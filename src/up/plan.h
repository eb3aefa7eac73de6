// Plan: what `timepool up` runs: which servers with which roles, on which addresses and ports, in
// which files.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/duration.h"
#include "base/ip.h"

namespace timepool::up {

struct UpOptions {
  std::optional<std::string> directory;  // none: a temporary one, removed at the end
  std::optional<Endpoint> http;          // none: 127.0.0.1:8080; port 0 takes a free one
  std::optional<Endpoint> dns;           // none: 127.0.0.1:5300; the same
  std::optional<int> ntp_port;           // none: 11123; 0 takes a free one
  int servers = 6;                       // good ones on IPv4
  std::optional<Duration> exit_after;
  std::optional<std::string> geoip;
  bool no_nts = false;
  std::optional<std::string> pebble;  // none: the one in PATH, if any
  bool json = false;
};

enum class Role : std::uint8_t { kGood, kLiar, kDead, kOther };
// "good", "liar", "dead", "other"
const char* name_of(Role role);

struct PlannedServer {
  std::string name;  // of its process; empty for the dead one, which has none
  Role role = Role::kGood;
  IpAddress address;
  std::uint64_t netspeed = 0;
  std::string country;
  Duration lie;          // added to the time it serves
  std::string nts_name;  // the label of its name for NTS; empty: it has none
};

// NTS for the pool: an ACME authority on 127.0.0.1, and the ports that members have on their own
// addresses.
struct NtsPlan {
  std::string pebble;                 // the authority's program
  std::uint16_t authority_port = 0;   // HTTPS: ACME
  std::uint16_t management_port = 0;  // HTTPS: the authority's root
  std::uint16_t challenge_port = 0;   // HTTP of members, where the authority looks
  std::uint16_t key_port = 0;         // key establishment of members

  std::string directory_url() const;
  std::string root_url() const;
};

struct Plan {
  static constexpr int kMinServers = 6;
  static constexpr int kMaxServers = 100;

  std::string directory;
  bool temporary = false;
  Endpoint http;
  Endpoint dns;
  std::uint16_t ntp_port = 0;
  std::vector<PlannedServer> servers;
  std::string zone = "pool.test";
  std::optional<std::string> geoip;
  std::optional<NtsPlan> nts;
  std::string programs;  // the directory that holds timepool-ntpd and the others

  std::string http_url() const { return "http://" + format(http); }
  std::string path(const std::string& name) const { return directory + "/" + name; }
  // "alice.m.pool.test", as the manager makes it.
  std::string nts_name_of(const PlannedServer& server) const {
    return server.nts_name + ".m." + zone;
  }
  // Trust anchor of the zone; roots of every authority that this directory had; the certificate of
  // the authority's own HTTPS.
  std::string anchor_file() const { return path("anchor.ds"); }
  std::string roots_file() const { return path("roots.pem"); }
  std::string authority_file() const { return path("authority.pem"); }
  std::string socket_of(const std::string& name) const { return path("run/" + name + ".sock"); }
};

// Of the good servers so many have NTS.
inline constexpr std::size_t kNtsMembers = 3;
inline constexpr int kMonitors = 2;
std::string monitor_name(int number);  // "monitor-1"

// The servers: `good` honest ones on 127.10.0.1 and up, one on ::1 when there is IPv6, a liar (+400
// ms) and an address where nothing answers. Their netspeeds and countries differ. With `nts` the
// first kNtsMembers have names.
std::vector<PlannedServer> plan_servers(int good, bool ipv6, bool nts);
// The role of an address that the manager tells of.
Role role_of(const Plan& plan, const std::string& address);

}  // namespace timepool::up
