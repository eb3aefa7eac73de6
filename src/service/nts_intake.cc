#include "service/nts_intake.h"

#include <cmath>

#include "service/names.h"
#include "store/monitors.h"
#include "store/names.h"

namespace timepool::service {
namespace {

// What was well authenticated may still be the wrong time.
pool::NtsOutcome outcome_of(const ReportedNts& report, const Settings& settings) {
  const bool far = report.offset_s && std::abs(*report.offset_s) > settings.nts_max_offset_s;
  return report.outcome == pool::NtsOutcome::kOk && far ? pool::NtsOutcome::kWrongTime
                                                        : report.outcome;
}

std::vector<pool::NtsOpinion> opinions_of(const std::vector<store::NtsPair>& pairs) {
  std::vector<pool::NtsOpinion> out;
  out.reserve(pairs.size());
  for (const store::NtsPair& pair : pairs) {
    const auto outcome = pool::nts_outcome_named(pair.outcome);
    out.push_back({pair.time, outcome.value_or(pool::NtsOutcome::kKeMalformed),
                   static_cast<std::uint32_t>(pair.failures)});
  }
  return out;
}

Result<void> note_opinion(store::Tx& tx, const store::NtsPair& next) {
  store::NtsPair pair = next;
  for (const store::NtsPair& before : TRY(store::list_nts_pairs_of(tx, next.server_id))) {
    if (before.monitor_id == next.monitor_id && next.failures > 0) {
      pair.failures = before.failures + 1;
    }
  }
  return store::put_nts_pair(tx, pair);
}

// Whether it changed.
Result<bool> update_state(store::Tx& tx, const Settings& settings, store::NtsServer& nts,
                          UnixTime now) {
  const auto pairs = TRY(store::list_nts_pairs_of(tx, nts.server_id));
  const auto active = TRY(store::count_active_monitors(tx));
  const auto verdict = pool::judge(pool::nts_state_named(nts.state), opinions_of(pairs), active,
                                   settings.nts_rules, now);
  const std::string state(pool::name_of(verdict.state));
  const std::string reason(verdict.reason == pool::NtsOutcome::kOk ? ""
                                                                   : pool::name_of(verdict.reason));
  const bool changed = state != nts.state;
  nts.state = state;
  nts.reason = reason;
  if (changed) nts.since = now;
  TRY(store::put_nts_server(tx, nts));
  if (changed) {
    TRY(store::insert_nts_change(tx, {nts.server_id, now, nts.name, state, reason}));
  }
  return changed;
}

}  // namespace

Result<NtsTaken> take_nts(store::Tx& tx, const Settings& settings, std::int64_t monitor,
                          std::int64_t server, const ReportedNts& report, UnixTime time,
                          UnixTime now) {
  NtsTaken out;
  auto nts = TRY(store::find_nts_server(tx, server));
  if (!nts || !has_name(*nts)) return out;
  if (report.name != full_name(nts->name, settings) || report.port != nts->port) return out;
  out.counted = true;
  out.outcome = outcome_of(report, settings);
  const std::string outcome(pool::name_of(out.outcome));
  const bool good = out.outcome == pool::NtsOutcome::kOk;
  TRY(store::insert_nts_check(
      tx, {server, monitor, time, outcome, report.code, report.detail, report.not_after,
           report.cookies, report.aead, report.ke_ms, report.offset_s}));
  TRY(note_opinion(tx, {server, monitor, time, outcome, good ? 0 : 1}));
  nts->last_check = time;
  if (report.not_after) nts->not_after = report.not_after;
  out.changed = TRY(update_state(tx, settings, *nts, now));
  return out;
}

}  // namespace timepool::service
