// The history of measurements: one row a check and one a sample, and the server's own score after
// each check; with how long they are kept.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/time.h"
#include "store/db.h"

namespace timepool::store {

struct ScoreEntry {
  std::int64_t id = 0;
  std::int64_t server_id = 0;
  std::optional<std::int64_t> monitor_id;  // none: the server's own score
  UnixTime time;
  double score = 0;
  double step = 0;
  std::string reason;
  std::optional<double> offset_s;
  std::optional<double> rtt_s;
  std::optional<std::int64_t> stratum;
  std::optional<std::int64_t> leap;
  std::int64_t samples = 0;
  std::int64_t lost = 0;
};

struct SampleEntry {
  std::string error;  // "" for an answer, else "timeout", "kod RATE", ...
  std::optional<double> offset_s;
  std::optional<double> rtt_s;
  std::optional<std::int64_t> stratum;
  std::optional<std::int64_t> leap;
  std::optional<double> root_delay_s;
  std::optional<double> root_dispersion_s;
  std::string refid;
  std::optional<std::int64_t> precision;
};

// Fills in entry.id.
Result<void> insert_score(Tx& tx, ScoreEntry& entry);
Result<void> insert_samples(Tx& tx, std::int64_t check_id, const std::vector<SampleEntry>& samples);
Result<std::vector<SampleEntry>> list_samples(Tx& tx, std::int64_t check_id);

struct HistoryQuery {
  enum class Of : unsigned char { kServerScore, kMonitor, kAll };
  std::int64_t server_id = 0;
  Of of = Of::kServerScore;
  std::int64_t monitor_id = 0;  // with kMonitor
  UnixTime since;               // not before
  std::int64_t limit = 100;
};
// Without a `since` the newest `limit` entries, else the first `limit` from there; oldest first.
Result<std::vector<ScoreEntry>> list_scores(Tx& tx, const HistoryQuery& query);

// Removes entries older than `before`, with their samples, and servers removed before that have
// none left; at most `limit` entries at a time, so that no write waits long. The result is how
// many entries were removed.
Result<std::int64_t> expire_history(Tx& tx, UnixTime before, std::int64_t limit);

}  // namespace timepool::store
