// Names of servers for NTS as stored: whose each is or was, which server has which, what monitors
// found. Functions work inside the caller's transaction.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/time.h"
#include "store/db.h"

namespace timepool::store {

struct Name {
  std::string name;   // a label, or a whole name
  std::string owner;  // never empty
  UnixTime created;
  std::optional<UnixTime> removed;
};

Result<std::optional<Name>> find_name(Tx& tx, const std::string& name);
// In place of the one that is there.
Result<void> put_name(Tx& tx, const Name& name);
// Forgets names that were removed before; the result is how many.
Result<std::int64_t> expire_names(Tx& tx, UnixTime before);

// A server with a name, or with one that was removed.
struct NtsServer {
  std::int64_t server_id = 0;
  std::string name;  // as in Name
  std::uint16_t port = 0;
  std::vector<std::string> account_uris;
  std::string state;   // pool::name_of(NtsState)
  std::string reason;  // pool::name_of(NtsOutcome), or ""
  UnixTime since;      // of the state
  std::optional<UnixTime> not_after;
  std::optional<UnixTime> last_check;
};

inline constexpr const char* kRemovedState = "removed";

// Of all servers that were not removed themselves, by id.
Result<std::vector<NtsServer>> list_nts_servers(Tx& tx);
// Those that have the name now.
Result<std::vector<NtsServer>> list_nts_servers_of(Tx& tx, const std::string& name);
Result<std::optional<NtsServer>> find_nts_server(Tx& tx, std::int64_t server_id);
// In place of the one that is there.
Result<void> put_nts_server(Tx& tx, const NtsServer& server);

struct NtsPair {
  std::int64_t server_id = 0;
  std::int64_t monitor_id = 0;
  UnixTime time;
  std::string outcome;
  std::int64_t failures = 0;  // in a row
};
Result<std::vector<NtsPair>> list_nts_pairs_of(Tx& tx, std::int64_t server_id);
Result<void> put_nts_pair(Tx& tx, const NtsPair& pair);
Result<void> remove_nts_pairs_of(Tx& tx, std::int64_t server_id);

struct NtsCheckEntry {
  std::int64_t server_id = 0;
  std::int64_t monitor_id = 0;
  UnixTime time;
  std::string outcome;
  std::optional<std::int64_t> code;
  std::string detail;
  std::optional<UnixTime> not_after;
  std::optional<std::int64_t> cookies;
  std::optional<std::int64_t> aead;
  std::optional<double> ke_ms;
  std::optional<double> offset_s;
};
Result<void> insert_nts_check(Tx& tx, const NtsCheckEntry& entry);
// The newest `limit`, the newest first.
Result<std::vector<NtsCheckEntry>> list_nts_checks(Tx& tx, std::int64_t server_id,
                                                   std::int64_t limit);

struct NtsChange {
  std::int64_t server_id = 0;
  UnixTime time;
  std::string name;
  std::string state;
  std::string reason;
};
Result<void> insert_nts_change(Tx& tx, const NtsChange& change);
// The newest `limit`, the newest first.
Result<std::vector<NtsChange>> list_nts_changes(Tx& tx, std::int64_t server_id, std::int64_t limit);

// Removes checks and changes older than `before`, at most `limit` of each, and everything of
// servers that were removed before then. The result is how many checks and changes were removed.
Result<std::int64_t> expire_nts(Tx& tx, UnixTime before, std::int64_t limit);

}  // namespace timepool::store
