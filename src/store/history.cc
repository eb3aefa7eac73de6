#include "store/history.h"

#include <algorithm>

#include "store/rows.h"

namespace timepool::store {
namespace {

#define SCORE_COLUMNS                                                                       \
  "SELECT id, server_id, monitor_id, time, score, step, reason, \"offset\", rtt, stratum, " \
  "leap, samples, lost FROM score_log WHERE server_id = $1 AND time >= $2 AND "             \
  "($3 = 2 OR ($3 = 1 AND monitor_id = $4) OR ($3 = 0 AND monitor_id IS NULL)) "

ScoreEntry score_of(const Row& row) {
  ScoreEntry out;
  out.id = row.integer(0);
  out.server_id = row.integer(1);
  out.monitor_id = optional_integer(row, 2);
  out.time = UnixTime::from_ns(row.integer(3));
  out.score = row.real(4);
  out.step = row.real(5);
  out.reason = string_at(row, 6);
  out.offset_s = optional_real(row, 7);
  out.rtt_s = optional_real(row, 8);
  out.stratum = optional_integer(row, 9);
  out.leap = optional_integer(row, 10);
  out.samples = row.integer(11);
  out.lost = row.integer(12);
  return out;
}

}  // namespace

Result<void> insert_score(Tx& tx, ScoreEntry& entry) {
  TRY(
      tx.run("INSERT INTO score_log (server_id, monitor_id, time, score, step, reason, \"offset\", "
             "rtt, stratum, leap, samples, lost) "
             "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) RETURNING id",
             {entry.server_id, param(entry.monitor_id), entry.time.ns(), entry.score, entry.step,
              entry.reason, param(entry.offset_s), param(entry.rtt_s), param(entry.stratum),
              param(entry.leap), entry.samples, entry.lost},
             [&](const Row& row) { entry.id = row.integer(0); }));
  return {};
}

Result<void> insert_samples(Tx& tx, std::int64_t check_id,
                            const std::vector<SampleEntry>& samples) {
  std::int64_t number = 0;
  for (const SampleEntry& sample : samples) {
    TRY(
        tx.run("INSERT INTO samples (check_id, number, error, \"offset\", rtt, stratum, leap, "
               "root_delay, root_dispersion, refid, \"precision\") "
               "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
               {check_id, number++, sample.error, param(sample.offset_s), param(sample.rtt_s),
                param(sample.stratum), param(sample.leap), param(sample.root_delay_s),
                param(sample.root_dispersion_s), sample.refid, param(sample.precision)}));
  }
  return {};
}

Result<std::vector<SampleEntry>> list_samples(Tx& tx, std::int64_t check_id) {
  std::vector<SampleEntry> out;
  TRY(tx.run(
      "SELECT error, \"offset\", rtt, stratum, leap, root_delay, root_dispersion, refid, "
      "\"precision\" FROM samples WHERE check_id = $1 ORDER BY number",
      {check_id}, [&](const Row& row) {
        out.push_back({string_at(row, 0), optional_real(row, 1), optional_real(row, 2),
                       optional_integer(row, 3), optional_integer(row, 4), optional_real(row, 5),
                       optional_real(row, 6), string_at(row, 7), optional_integer(row, 8)});
      }));
  return out;
}

Result<std::vector<ScoreEntry>> list_scores(Tx& tx, const HistoryQuery& query) {
  std::vector<ScoreEntry> out;
  const bool newest = query.since == UnixTime();
  const std::int64_t of = static_cast<std::int64_t>(query.of);
  TRY(tx.run(newest ? SCORE_COLUMNS "ORDER BY time DESC, id DESC LIMIT $5"
                    : SCORE_COLUMNS "ORDER BY time, id LIMIT $5",
             {query.server_id, query.since.ns(), of, query.monitor_id, query.limit},
             [&](const Row& row) { out.push_back(score_of(row)); }));
  if (newest) std::reverse(out.begin(), out.end());
  return out;
}

Result<std::int64_t> expire_history(Tx& tx, UnixTime before, std::int64_t limit) {
  const std::int64_t removed =
      TRY(tx.run("DELETE FROM score_log WHERE id IN "
                 "(SELECT id FROM score_log WHERE time < $1 ORDER BY time LIMIT $2)",
                 {before.ns(), limit}));
  TRY(
      tx.run("DELETE FROM pairs WHERE server_id IN "
             "(SELECT id FROM servers WHERE deleted < $1)",
             {before.ns()}));
  TRY(
      tx.run("DELETE FROM servers WHERE deleted < $1 AND NOT EXISTS "
             "(SELECT 1 FROM score_log WHERE server_id = servers.id) AND NOT EXISTS "
             "(SELECT 1 FROM nts_checks WHERE server_id = servers.id) AND NOT EXISTS "
             "(SELECT 1 FROM nts_changes WHERE server_id = servers.id) AND NOT EXISTS "
             "(SELECT 1 FROM handed_out WHERE server_id = servers.id)",
             {before.ns()}));
  return removed;
}

}  // namespace timepool::store
