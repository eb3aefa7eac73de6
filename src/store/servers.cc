#include "store/servers.h"

#include "store/rows.h"

namespace timepool::store {
namespace {

#define SERVER_COLUMNS                                                                      \
  "SELECT id, address, hostname, country, netspeed, in_pool, score, stratum, last_offset, " \
  "last_rtt, last_check, last_reason, created, owner FROM servers WHERE deleted IS NULL "

Server server_of(const Row& row) {
  Server out;
  out.id = row.integer(0);
  out.address = parse_ip(row.text(1)).value_or(IpAddress());
  out.hostname = string_at(row, 2);
  out.country = string_at(row, 3);
  out.netspeed = static_cast<std::uint32_t>(row.integer(4));
  out.in_pool = row.integer(5) != 0;
  out.score = row.real(6);
  out.stratum = optional_integer(row, 7);
  out.last_offset_s = optional_real(row, 8);
  out.last_rtt_s = optional_real(row, 9);
  out.last_check = optional_time(row, 10);
  out.last_reason = string_at(row, 11);
  out.created = UnixTime::from_ns(row.integer(12));
  out.owner = string_at(row, 13);
  return out;
}

}  // namespace

Result<std::vector<Server>> list_servers(Tx& tx) {
  std::vector<Server> out;
  TRY(tx.run(SERVER_COLUMNS "ORDER BY id", {},
             [&](const Row& row) { out.push_back(server_of(row)); }));
  return out;
}

Result<std::size_t> count_servers(Tx& tx) {
  std::int64_t out = 0;
  TRY(tx.run("SELECT count(*) FROM servers WHERE deleted IS NULL", {},
             [&](const Row& row) { out = row.integer(0); }));
  return static_cast<std::size_t>(out);
}

Result<std::optional<Server>> find_server(Tx& tx, const IpAddress& address) {
  std::optional<Server> out;
  TRY(tx.run(SERVER_COLUMNS "AND address = $1", {format(address)},
             [&](const Row& row) { out = server_of(row); }));
  return out;
}

Result<std::optional<Server>> find_server(Tx& tx, std::int64_t id) {
  std::optional<Server> out;
  TRY(tx.run(SERVER_COLUMNS "AND id = $1", {id}, [&](const Row& row) { out = server_of(row); }));
  return out;
}

Result<void> insert_server(Tx& tx, Server& server) {
  TRY(tx.run(
      "INSERT INTO servers (address, hostname, country, netspeed, in_pool, created, owner) "
      "VALUES ($1, $2, $3, $4, $5, $6, $7) RETURNING id",
      {format(server.address), server.hostname, server.country, std::int64_t{server.netspeed},
       param(server.in_pool), server.created.ns(), server.owner},
      [&](const Row& row) { server.id = row.integer(0); }));
  return {};
}

Result<void> update_server(Tx& tx, const Server& server) {
  TRY(tx.run(
      "UPDATE servers SET hostname = $2, country = $3, netspeed = $4, in_pool = $5, owner = $6 "
      "WHERE id = $1",
      {server.id, server.hostname, server.country, std::int64_t{server.netspeed},
       param(server.in_pool), server.owner}));
  return {};
}

Result<void> update_server_score(Tx& tx, const Server& server) {
  TRY(
      tx.run("UPDATE servers SET score = $2, stratum = $3, last_offset = $4, last_rtt = $5, "
             "last_check = $6, last_reason = $7 WHERE id = $1",
             {server.id, server.score, param(server.stratum), param(server.last_offset_s),
              param(server.last_rtt_s), param(server.last_check), server.last_reason}));
  return {};
}

Result<void> remove_server(Tx& tx, std::int64_t id, UnixTime now) {
  TRY(tx.run("UPDATE servers SET deleted = $2 WHERE id = $1", {id, now.ns()}));
  return {};
}

}  // namespace timepool::store
