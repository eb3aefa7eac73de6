#include "store/handed_out.h"

#include "store/rows.h"

namespace timepool::store {

std::int64_t day_of(UnixTime time) {
  return time.seconds() / 86'400;
}

Result<void> add_handed_out(Tx& tx, std::int64_t server_id, std::int64_t day,
                            const std::string& zone, std::int64_t count) {
  TRY(
      tx.run("INSERT INTO handed_out (server_id, day, zone, count) VALUES ($1, $2, $3, $4) "
             "ON CONFLICT (server_id, day, zone) DO UPDATE SET count = count + excluded.count",
             {server_id, day, zone, count}));
  return {};
}

Result<std::vector<HandedOutSum>> sum_handed_out(Tx& tx, std::int64_t first_day) {
  std::vector<HandedOutSum> out;
  TRY(tx.run("SELECT server_id, SUM(count) FROM handed_out WHERE day >= $1 GROUP BY server_id",
             {first_day},
             [&](const Row& row) { out.push_back({row.integer(0), row.integer(1)}); }));
  return out;
}

Result<std::optional<Answer>> find_handed_out_batch(Tx& tx, const std::string& key) {
  std::optional<Answer> out;
  TRY(tx.run("SELECT body_hash, answer FROM handed_out_batches WHERE key = $1", {key},
             [&](const Row& row) { out = Answer{string_at(row, 0), string_at(row, 1)}; }));
  return out;
}

Result<void> insert_handed_out_batch(Tx& tx, const std::string& key, const Answer& answer,
                                     UnixTime now) {
  TRY(
      tx.run("INSERT INTO handed_out_batches (key, body_hash, answer, created) "
             "VALUES ($1, $2, $3, $4)",
             {key, answer.body_hash, answer.answer, now.ns()}));
  return {};
}

Result<std::int64_t> expire_handed_out(Tx& tx, UnixTime batches_before, UnixTime counts_before) {
  const std::int64_t batches =
      TRY(tx.run("DELETE FROM handed_out_batches WHERE created < $1", {batches_before.ns()}));
  const std::int64_t counts =
      TRY(tx.run("DELETE FROM handed_out WHERE day < $1", {day_of(counts_before)}));
  return batches + counts;
}

}  // namespace timepool::store
