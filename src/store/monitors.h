// Monitors, and what each of them last saw of each server, as stored.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/time.h"
#include "store/db.h"

namespace timepool::store {

struct Monitor {
  std::int64_t id = 0;
  std::string name;
  std::string address;  // as registered, or ""
  std::string status;   // "active"
  UnixTime created;
  std::optional<UnixTime> last_seen;
};

// One monitor's view of one server.
struct Pair {
  std::int64_t server_id = 0;
  std::int64_t monitor_id = 0;
  double raw = 0;
  UnixTime last_check;
  std::optional<double> last_offset_s;
  std::optional<double> last_rtt_s;
  std::string last_reason;
  std::int64_t last_ticket = 0;  // when the last ticket that was used was made, ns
};

Result<std::vector<Monitor>> list_monitors(Tx& tx);
// Those whose status is "active".
Result<std::size_t> count_active_monitors(Tx& tx);
Result<std::optional<Monitor>> find_monitor_by_token(Tx& tx, const std::string& token_hash);
// Fills in the id. Errors: kExists when the name is taken.
Result<void> insert_monitor(Tx& tx, Monitor& monitor, const std::string& token_hash);
Result<void> update_monitor_seen(Tx& tx, std::int64_t id, UnixTime now);

Result<std::optional<Pair>> find_pair(Tx& tx, std::int64_t server_id, std::int64_t monitor_id);
Result<std::vector<Pair>> list_pairs(Tx& tx);
Result<std::vector<Pair>> list_pairs_of(Tx& tx, std::int64_t server_id);
// The newest Pair::last_ticket of all; 0 when there is none.
Result<std::int64_t> last_ticket(Tx& tx);
Result<void> upsert_pair(Tx& tx, const Pair& pair);

}  // namespace timepool::store
