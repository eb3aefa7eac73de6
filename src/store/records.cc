#include "store/records.h"

#include "store/rows.h"

namespace timepool::store {

Result<std::optional<std::string>> find_meta(Tx& tx, const std::string& name) {
  std::optional<std::string> out;
  TRY(tx.run("SELECT value FROM meta WHERE name = $1", {name},
             [&](const Row& row) { out = string_at(row, 0); }));
  return out;
}

Result<void> set_meta(Tx& tx, const std::string& name, const std::string& value) {
  TRY(
      tx.run("INSERT INTO meta (name, value) VALUES ($1, $2) "
             "ON CONFLICT (name) DO UPDATE SET value = excluded.value",
             {name, value}));
  return {};
}

Result<std::optional<Answer>> find_answer(Tx& tx, std::int64_t monitor_id, const std::string& key) {
  std::optional<Answer> out;
  TRY(tx.run("SELECT body_hash, answer FROM idempotency WHERE monitor_id = $1 AND key = $2",
             {monitor_id, key},
             [&](const Row& row) { out = Answer{string_at(row, 0), string_at(row, 1)}; }));
  return out;
}

Result<void> insert_answer(Tx& tx, std::int64_t monitor_id, const std::string& key,
                           const Answer& answer, UnixTime now) {
  TRY(
      tx.run("INSERT INTO idempotency (monitor_id, key, body_hash, answer, created) "
             "VALUES ($1, $2, $3, $4, $5)",
             {monitor_id, key, answer.body_hash, answer.answer, now.ns()}));
  return {};
}

Result<std::int64_t> expire_answers(Tx& tx, UnixTime before) {
  return tx.run("DELETE FROM idempotency WHERE created < $1", {before.ns()});
}

Result<std::optional<PublishedSnapshot>> find_snapshot(Tx& tx, const std::string& channel) {
  std::optional<PublishedSnapshot> out;
  TRY(
      tx.run("SELECT serial, created, content_hash, public_key, body FROM snapshots "
             "WHERE channel = $1",
             {channel}, [&](const Row& row) {
               out = PublishedSnapshot{static_cast<std::uint64_t>(row.integer(0)),
                                       UnixTime::from_ns(row.integer(1)), string_at(row, 2),
                                       string_at(row, 3), string_at(row, 4)};
             }));
  return out;
}

Result<void> set_snapshot(Tx& tx, const std::string& channel, const PublishedSnapshot& snapshot) {
  TRY(
      tx.run("INSERT INTO snapshots (channel, serial, created, content_hash, public_key, body) "
             "VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (channel) DO UPDATE SET "
             "serial = excluded.serial, created = excluded.created, "
             "content_hash = excluded.content_hash, public_key = excluded.public_key, "
             "body = excluded.body",
             {channel, static_cast<std::int64_t>(snapshot.serial), snapshot.created.ns(),
              snapshot.content_hash, snapshot.public_key, Blob{snapshot.body}}));
  return {};
}

}  // namespace timepool::store
