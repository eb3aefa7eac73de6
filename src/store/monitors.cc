#include "store/monitors.h"

#include "store/rows.h"

namespace timepool::store {
namespace {

#define MONITOR_COLUMNS "SELECT id, name, address, status, created, last_seen FROM monitors "
#define PAIR_COLUMNS                                                                    \
  "SELECT server_id, monitor_id, raw, last_check, last_offset, last_rtt, last_reason, " \
  "last_ticket FROM pairs "

Monitor monitor_of(const Row& row) {
  Monitor out;
  out.id = row.integer(0);
  out.name = string_at(row, 1);
  out.address = string_at(row, 2);
  out.status = string_at(row, 3);
  out.created = UnixTime::from_ns(row.integer(4));
  out.last_seen = optional_time(row, 5);
  return out;
}

Pair pair_of(const Row& row) {
  Pair out;
  out.server_id = row.integer(0);
  out.monitor_id = row.integer(1);
  out.raw = row.real(2);
  out.last_check = UnixTime::from_ns(row.integer(3));
  out.last_offset_s = optional_real(row, 4);
  out.last_rtt_s = optional_real(row, 5);
  out.last_reason = string_at(row, 6);
  out.last_ticket = row.integer(7);
  return out;
}

}  // namespace

Result<std::vector<Monitor>> list_monitors(Tx& tx) {
  std::vector<Monitor> out;
  TRY(tx.run(MONITOR_COLUMNS "ORDER BY id", {},
             [&](const Row& row) { out.push_back(monitor_of(row)); }));
  return out;
}

Result<std::size_t> count_active_monitors(Tx& tx) {
  std::int64_t out = 0;
  TRY(tx.run("SELECT count(*) FROM monitors WHERE status = 'active'", {},
             [&](const Row& row) { out = row.integer(0); }));
  return static_cast<std::size_t>(out);
}

Result<std::optional<Monitor>> find_monitor_by_token(Tx& tx, const std::string& token_hash) {
  std::optional<Monitor> out;
  TRY(tx.run(MONITOR_COLUMNS "WHERE token_hash = $1", {token_hash},
             [&](const Row& row) { out = monitor_of(row); }));
  return out;
}

Result<void> insert_monitor(Tx& tx, Monitor& monitor, const std::string& token_hash) {
  TRY(
      tx.run("INSERT INTO monitors (name, address, token_hash, status, created) "
             "VALUES ($1, $2, $3, $4, $5) RETURNING id",
             {monitor.name, monitor.address, token_hash, monitor.status, monitor.created.ns()},
             [&](const Row& row) { monitor.id = row.integer(0); }));
  return {};
}

Result<void> update_monitor_seen(Tx& tx, std::int64_t id, UnixTime now) {
  TRY(tx.run("UPDATE monitors SET last_seen = $2 WHERE id = $1", {id, now.ns()}));
  return {};
}

Result<std::optional<Pair>> find_pair(Tx& tx, std::int64_t server_id, std::int64_t monitor_id) {
  std::optional<Pair> out;
  TRY(tx.run(PAIR_COLUMNS "WHERE server_id = $1 AND monitor_id = $2", {server_id, monitor_id},
             [&](const Row& row) { out = pair_of(row); }));
  return out;
}

Result<std::vector<Pair>> list_pairs(Tx& tx) {
  std::vector<Pair> out;
  TRY(tx.run(PAIR_COLUMNS, {}, [&](const Row& row) { out.push_back(pair_of(row)); }));
  return out;
}

Result<std::vector<Pair>> list_pairs_of(Tx& tx, std::int64_t server_id) {
  std::vector<Pair> out;
  TRY(tx.run(PAIR_COLUMNS "WHERE server_id = $1 ORDER BY monitor_id", {server_id},
             [&](const Row& row) { out.push_back(pair_of(row)); }));
  return out;
}

Result<std::int64_t> last_ticket(Tx& tx) {
  std::int64_t out = 0;
  TRY(tx.run("SELECT coalesce(max(last_ticket), 0) FROM pairs", {},
             [&](const Row& row) { out = row.integer(0); }));
  return out;
}

Result<void> upsert_pair(Tx& tx, const Pair& pair) {
  TRY(tx.run(
      "INSERT INTO pairs (server_id, monitor_id, raw, last_check, last_offset, last_rtt, "
      "last_reason, last_ticket) VALUES ($1, $2, $3, $4, $5, $6, $7, $8) "
      "ON CONFLICT (server_id, monitor_id) DO UPDATE SET raw = excluded.raw, "
      "last_check = excluded.last_check, last_offset = excluded.last_offset, "
      "last_rtt = excluded.last_rtt, last_reason = excluded.last_reason, "
      "last_ticket = excluded.last_ticket",
      {pair.server_id, pair.monitor_id, pair.raw, pair.last_check.ns(), param(pair.last_offset_s),
       param(pair.last_rtt_s), pair.last_reason, pair.last_ticket}));
  return {};
}

}  // namespace timepool::store
