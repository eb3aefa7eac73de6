// The pool's servers as stored. Functions work inside the caller's transaction.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/ip.h"
#include "base/time.h"
#include "store/db.h"

namespace timepool::store {

struct Server {
  std::int64_t id = 0;
  IpAddress address;
  std::string hostname;
  std::string country;  // ISO 3166 alpha-2 in lower case, or ""
  std::uint32_t netspeed = 0;
  bool in_pool = true;
  double score = 0;
  std::optional<std::int64_t> stratum;
  std::optional<double> last_offset_s;
  std::optional<double> last_rtt_s;
  std::optional<UnixTime> last_check;
  std::string last_reason;  // pool::name_of(StepReason) of the last check
  UnixTime created;
  std::string owner{};  // as the administration says, or ""
};

// All servers that were not removed, by id.
Result<std::vector<Server>> list_servers(Tx& tx);
Result<std::size_t> count_servers(Tx& tx);
// None when no server has the address.
Result<std::optional<Server>> find_server(Tx& tx, const IpAddress& address);
Result<std::optional<Server>> find_server(Tx& tx, std::int64_t id);
// Fills in the id. Errors: kExists when the address is registered.
Result<void> insert_server(Tx& tx, Server& server);
// hostname, country, netspeed, in_pool and owner.
Result<void> update_server(Tx& tx, const Server& server);
// Score, stratum and what begins with last_.
Result<void> update_server_score(Tx& tx, const Server& server);
// The server is gone, its history stays until its time is over.
Result<void> remove_server(Tx& tx, std::int64_t id, UnixTime now);

}  // namespace timepool::store
