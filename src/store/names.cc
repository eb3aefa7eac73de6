#include "store/names.h"

#include "store/rows.h"

namespace timepool::store {
namespace {

#define NTS_SERVER_COLUMNS                                                             \
  "SELECT n.server_id, n.name, n.port, n.account_uris, n.state, n.reason, n.since, "   \
  "n.not_after, n.last_check FROM nts_servers n JOIN servers s ON s.id = n.server_id " \
  "WHERE s.deleted IS NULL "

// URIs have no spaces (RFC 3986 2).
std::vector<std::string> uris_of(std::string_view text) {
  std::vector<std::string> out;
  while (!text.empty()) {
    const std::size_t space = text.find(' ');
    out.emplace_back(text.substr(0, space));
    text.remove_prefix(space == std::string_view::npos ? text.size() : space + 1);
  }
  return out;
}

std::string text_of(const std::vector<std::string>& uris) {
  std::string out;
  for (const std::string& uri : uris) out += (out.empty() ? "" : " ") + uri;
  return out;
}

NtsServer nts_server_of(const Row& row) {
  NtsServer out;
  out.server_id = row.integer(0);
  out.name = string_at(row, 1);
  out.port = static_cast<std::uint16_t>(row.integer(2));
  out.account_uris = uris_of(row.text(3));
  out.state = string_at(row, 4);
  out.reason = string_at(row, 5);
  out.since = UnixTime::from_ns(row.integer(6));
  out.not_after = optional_time(row, 7);
  out.last_check = optional_time(row, 8);
  return out;
}

}  // namespace

Result<std::optional<Name>> find_name(Tx& tx, const std::string& name) {
  std::optional<Name> out;
  TRY(tx.run("SELECT name, owner, created, removed FROM names WHERE name = $1", {name},
             [&](const Row& row) {
               out = Name{string_at(row, 0), string_at(row, 1), UnixTime::from_ns(row.integer(2)),
                          optional_time(row, 3)};
             }));
  return out;
}

Result<void> put_name(Tx& tx, const Name& name) {
  TRY(
      tx.run("INSERT INTO names (name, owner, created, removed) VALUES ($1, $2, $3, $4) "
             "ON CONFLICT (name) DO UPDATE SET owner = excluded.owner, "
             "created = excluded.created, removed = excluded.removed",
             {name.name, name.owner, name.created.ns(), param(name.removed)}));
  return {};
}

Result<std::int64_t> expire_names(Tx& tx, UnixTime before) {
  return tx.run("DELETE FROM names WHERE removed < $1", {before.ns()});
}

Result<std::vector<NtsServer>> list_nts_servers(Tx& tx) {
  std::vector<NtsServer> out;
  TRY(tx.run(NTS_SERVER_COLUMNS "ORDER BY n.server_id", {},
             [&](const Row& row) { out.push_back(nts_server_of(row)); }));
  return out;
}

Result<std::vector<NtsServer>> list_nts_servers_of(Tx& tx, const std::string& name) {
  std::vector<NtsServer> out;
  TRY(tx.run(NTS_SERVER_COLUMNS "AND n.name = $1 AND n.state != $2 ORDER BY n.server_id",
             {name, std::string(kRemovedState)},
             [&](const Row& row) { out.push_back(nts_server_of(row)); }));
  return out;
}

Result<std::optional<NtsServer>> find_nts_server(Tx& tx, std::int64_t server_id) {
  std::optional<NtsServer> out;
  TRY(tx.run(NTS_SERVER_COLUMNS "AND n.server_id = $1", {server_id},
             [&](const Row& row) { out = nts_server_of(row); }));
  return out;
}

Result<void> put_nts_server(Tx& tx, const NtsServer& server) {
  TRY(
      tx.run("INSERT INTO nts_servers (server_id, name, port, account_uris, state, reason, since, "
             "not_after, last_check) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) "
             "ON CONFLICT (server_id) DO UPDATE SET name = excluded.name, port = excluded.port, "
             "account_uris = excluded.account_uris, state = excluded.state, "
             "reason = excluded.reason, since = excluded.since, not_after = excluded.not_after, "
             "last_check = excluded.last_check",
             {server.server_id, server.name, std::int64_t{server.port},
              text_of(server.account_uris), server.state, server.reason, server.since.ns(),
              param(server.not_after), param(server.last_check)}));
  return {};
}

Result<std::vector<NtsPair>> list_nts_pairs_of(Tx& tx, std::int64_t server_id) {
  std::vector<NtsPair> out;
  TRY(tx.run(
      "SELECT p.server_id, p.monitor_id, p.time, p.outcome, p.failures FROM nts_pairs p "
      "JOIN monitors m ON m.id = p.monitor_id WHERE p.server_id = $1 AND m.status = 'active' "
      "ORDER BY p.monitor_id",
      {server_id}, [&](const Row& row) {
        out.push_back({row.integer(0), row.integer(1), UnixTime::from_ns(row.integer(2)),
                       string_at(row, 3), row.integer(4)});
      }));
  return out;
}

Result<void> put_nts_pair(Tx& tx, const NtsPair& pair) {
  TRY(
      tx.run("INSERT INTO nts_pairs (server_id, monitor_id, time, outcome, failures) "
             "VALUES ($1, $2, $3, $4, $5) ON CONFLICT (server_id, monitor_id) DO UPDATE SET "
             "time = excluded.time, outcome = excluded.outcome, failures = excluded.failures",
             {pair.server_id, pair.monitor_id, pair.time.ns(), pair.outcome, pair.failures}));
  return {};
}

Result<void> remove_nts_pairs_of(Tx& tx, std::int64_t server_id) {
  TRY(tx.run("DELETE FROM nts_pairs WHERE server_id = $1", {server_id}));
  return {};
}

Result<void> insert_nts_check(Tx& tx, const NtsCheckEntry& entry) {
  TRY(
      tx.run("INSERT INTO nts_checks (server_id, monitor_id, time, outcome, code, detail, "
             "not_after, cookies, aead, ke_ms, \"offset\") "
             "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
             {entry.server_id, entry.monitor_id, entry.time.ns(), entry.outcome, param(entry.code),
              entry.detail, param(entry.not_after), param(entry.cookies), param(entry.aead),
              param(entry.ke_ms), param(entry.offset_s)}));
  return {};
}

Result<std::vector<NtsCheckEntry>> list_nts_checks(Tx& tx, std::int64_t server_id,
                                                   std::int64_t limit) {
  std::vector<NtsCheckEntry> out;
  TRY(tx.run(
      "SELECT server_id, monitor_id, time, outcome, code, detail, not_after, cookies, aead, ke_ms, "
      "\"offset\" FROM nts_checks WHERE server_id = $1 ORDER BY time DESC, id DESC LIMIT $2",
      {server_id, limit}, [&](const Row& row) {
        out.push_back({row.integer(0), row.integer(1), UnixTime::from_ns(row.integer(2)),
                       string_at(row, 3), optional_integer(row, 4), string_at(row, 5),
                       optional_time(row, 6), optional_integer(row, 7), optional_integer(row, 8),
                       optional_real(row, 9), optional_real(row, 10)});
      }));
  return out;
}

Result<void> insert_nts_change(Tx& tx, const NtsChange& change) {
  TRY(
      tx.run("INSERT INTO nts_changes (server_id, time, name, state, reason) "
             "VALUES ($1, $2, $3, $4, $5)",
             {change.server_id, change.time.ns(), change.name, change.state, change.reason}));
  return {};
}

Result<std::vector<NtsChange>> list_nts_changes(Tx& tx, std::int64_t server_id,
                                                std::int64_t limit) {
  std::vector<NtsChange> out;
  TRY(
      tx.run("SELECT server_id, time, name, state, reason FROM nts_changes WHERE server_id = $1 "
             "ORDER BY time DESC, id DESC LIMIT $2",
             {server_id, limit}, [&](const Row& row) {
               out.push_back({row.integer(0), UnixTime::from_ns(row.integer(1)), string_at(row, 2),
                              string_at(row, 3), string_at(row, 4)});
             }));
  return out;
}

Result<std::int64_t> expire_nts(Tx& tx, UnixTime before, std::int64_t limit) {
  std::int64_t removed = 0;
  removed +=
      TRY(tx.run("DELETE FROM nts_checks WHERE id IN "
                 "(SELECT id FROM nts_checks WHERE time < $1 ORDER BY time LIMIT $2)",
                 {before.ns(), limit}));
  removed +=
      TRY(tx.run("DELETE FROM nts_changes WHERE id IN "
                 "(SELECT id FROM nts_changes WHERE time < $1 ORDER BY time LIMIT $2)",
                 {before.ns(), limit}));
  for (const char* statement :
       {"DELETE FROM nts_pairs WHERE server_id IN (SELECT id FROM servers WHERE deleted < $1)",
        "DELETE FROM nts_servers WHERE server_id IN (SELECT id FROM servers WHERE deleted < $1)"}) {
    TRY(tx.run(statement, {before.ns()}));
  }
  return removed;
}

}  // namespace timepool::store
