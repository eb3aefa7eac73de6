// What the manager tells about servers and monitors: stored values together with what follows from
// them. Plain data for the API and the pages.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/ip.h"
#include "base/time.h"
#include "pool/nts_check.h"
#include "store/history.h"
#include "store/monitors.h"
#include "store/names.h"
#include "store/servers.h"

namespace timepool::service {

// A server's name for NTS; kUnnamed: it never had one.
struct NtsView {
  pool::NtsState state = pool::NtsState::kUnnamed;
  std::string name;       // as registered
  std::string full_name;  // as in DNS
  std::uint16_t port = 0;
  std::vector<std::string> account_uris;
  std::string reason;  // pool::name_of(NtsOutcome) of what is wrong, or ""
  UnixTime since;      // of the state
  std::optional<UnixTime> not_after;
  std::optional<UnixTime> last_check;
  bool listed = false;  // in SRV records
};

struct ServerView {
  store::Server server;
  std::vector<std::string> zones;  // {"uk", "europe", "@"}
  bool in_dns = false;
  // Why it is not in DNS: "low_score: timeout"; "" when it is.
  std::string reason;
  NtsView nts;
};

struct MonitorView {
  std::int64_t id = 0;
  std::string name;
  std::string status;
  store::Pair pair;
};

// The days over which a server's share is told.
inline constexpr int kHandedOutDays = 7;

struct ServerDetail {
  ServerView view;
  std::vector<MonitorView> monitors;
  std::vector<store::ScoreEntry> history;  // the server's own score, oldest first
  // How often name servers handed out its address, and all addresses, in kHandedOutDays.
  std::int64_t handed_out = 0;
  std::int64_t handed_out_all = 0;
  // Of its NTS, the newest first.
  std::vector<store::NtsChange> nts_changes;
  std::vector<store::NtsCheckEntry> nts_checks;

  double handed_out_share() const {
    if (handed_out_all == 0) return 0;
    return static_cast<double>(handed_out) / static_cast<double>(handed_out_all);
  }
};

struct NewServer {
  std::string address;
  std::string hostname;
  std::string country;  // "" asks the GeoIP data
  std::optional<std::uint32_t> netspeed;
  std::string owner{};  // "": nobody's but its own
};

struct ServerChange {
  std::optional<std::uint32_t> netspeed;
  std::optional<bool> in_pool;
  std::optional<std::string> hostname;
  std::optional<std::string> country;
  std::optional<std::string> owner{};
};

struct NewMonitor {
  store::Monitor monitor;
  std::string token;  // told once; only its hash is kept
};

}  // namespace timepool::service
