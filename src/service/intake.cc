#include "service/intake.h"

#include <fmt/format.h>

#include <algorithm>

#include "service/names.h"
#include "service/nts_intake.h"
#include "service/secrets.h"
#include "store/records.h"

namespace timepool::service {
namespace {

constexpr std::size_t kMaxKey = 128;
// How far a monitor's clock may be from ours before its results are refused.
constexpr Duration kClockTolerance = Duration::seconds(60);

Result<void> check_key(std::string_view key) {
  const bool printable =
      std::all_of(key.begin(), key.end(), [](char c) { return c > 0x20 && c < 0x7f; });
  if (!key.empty() && key.size() <= kMaxKey && printable) return {};
  return fail(Error{ErrorCode::kInvalid, "Idempotency-Key",
                    "expected 1 to 128 printable characters, different for each batch"});
}

std::string_view explain(TicketFault fault) {
  switch (fault) {
    case TicketFault::kMalformed:
      return "ticket: malformed";
    case TicketFault::kForged:
      return "ticket: not one that this monitor was given for this server";
    case TicketFault::kExpired:
      return "ticket: expired";
  }
  return "";
}

std::string answer_json(std::size_t accepted,
                        const std::vector<std::pair<std::size_t, std::string>>& rejected) {
  std::string out = fmt::format("{{\"accepted\":{},\"rejected\":[", accepted);
  for (std::size_t i = 0; i < rejected.size(); ++i) {
    out += fmt::format("{}{{\"index\":{},\"reason\":\"{}\"}}", i > 0 ? "," : "", rejected[i].first,
                       pool::json_escaped(rejected[i].second));
  }
  return out + "]}";
}

store::ScoreEntry entry_of(const pool::CheckSummary& check, const pool::Step& step) {
  store::ScoreEntry out;
  out.step = step.value;
  out.reason = pool::name_of(step.reason);
  out.samples = check.samples;
  out.lost = check.lost;
  if (check.best.answered()) {
    out.offset_s = check.best.offset_s;
    out.rtt_s = check.best.rtt_s;
    out.stratum = check.best.stratum;
    out.leap = check.best.leap;
  }
  return out;
}

std::vector<pool::MonitorScore> monitor_scores(const std::vector<store::Pair>& pairs) {
  std::vector<pool::MonitorScore> out;
  out.reserve(pairs.size());
  for (const store::Pair& pair : pairs) {
    out.push_back({pool::MonitorRole::kActive, pair.last_check, pair.raw, pair.last_rtt_s});
  }
  return out;
}

}  // namespace

Intake::Intake(store::Db& db, const Settings& settings, Scheduler& scheduler, Tickets tickets,
               UnixClock now, std::function<void()> scored, std::function<void()> nts_changed,
               UnixTime last_issue)
    : db_(db),
      settings_(settings),
      scheduler_(scheduler),
      tickets_(std::move(tickets)),
      now_(std::move(now)),
      scored_(std::move(scored)),
      nts_changed_(std::move(nts_changed)),
      last_issue_(last_issue) {}

UnixTime Intake::next_issue() {
  const std::lock_guard lock(issue_mutex_);
  last_issue_ = std::max(now_(), last_issue_ + Duration::nanoseconds(1));
  return last_issue_;
}

Result<Intake::Work> Intake::work_for(const store::Monitor& monitor, MonoTime now) {
  Work out;
  const auto due = scheduler_.take_due(monitor.id, now, settings_.batch);
  const auto look = [&](store::Tx& tx) -> Result<void> {
    for (const std::int64_t id : due) {
      const auto server = TRY(store::find_server(tx, id));
      // Removed since the schedule was made.
      if (!server) continue;
      out.items.push_back({id, server->address, settings_.ntp_port, settings_.samples,
                           tickets_.make(monitor.id, id, next_issue())});
      const auto nts = TRY(store::find_nts_server(tx, id));
      if (!nts || !has_name(*nts)) continue;
      out.items.back().nts =
          NtsWork{full_name(nts->name, settings_), nts->port, settings_.nts_trust};
    }
    return {};
  };
  if (!due.empty()) TRY(db_.read(look));
  out.next_due = scheduler_.next_due(monitor.id);
  return out;
}

Result<std::string> Intake::take_results(const store::Monitor& monitor, const Batch& batch) {
  TRY(check_key(batch.key));
  const std::string body_hash = sha256_hex(batch.body);
  std::string answer;
  std::vector<Scored> scored;
  bool repeated = false;
  std::size_t rejected_count = 0;
  const auto take = [&](store::Tx& tx) -> Result<void> {
    scored.clear();
    repeated = false;
    const UnixTime now = now_();
    const auto before = TRY(store::find_answer(tx, monitor.id, batch.key));
    if (before) {
      if (before->body_hash != body_hash) {
        return fail(
            Error{ErrorCode::kExists, "Idempotency-Key", "was used for another request before"});
      }
      answer = before->answer;
      repeated = true;
      return {};
    }
    std::vector<std::pair<std::size_t, std::string>> rejected;
    for (std::size_t i = 0; i < batch.results.size(); ++i) {
      Scored one;
      std::string why = TRY(take_one(tx, monitor, batch.results[i], now, one));
      if (why.empty()) {
        scored.push_back(one);
      } else {
        rejected.emplace_back(i, std::move(why));
      }
    }
    rejected_count = rejected.size();
    answer = answer_json(scored.size(), rejected);
    TRY(store::update_monitor_seen(tx, monitor.id, now));
    return store::insert_answer(tx, monitor.id, batch.key, {body_hash, answer}, now);
  };
  TRY(db_.write(take));
  ++(repeated ? repeated_ : batches_);
  accepted_ += scored.size();
  rejected_ += rejected_count;
  bool nts_changed = false;
  for (const Scored& one : scored) {
    scheduler_.note_score(one.server, monitor.id, one.score);
    if (!one.nts.counted) continue;
    ++nts_checks_[static_cast<std::size_t>(one.nts.outcome)];
    nts_changed = nts_changed || one.nts.changed;
  }
  if (nts_changed) nts_changed_();
  if (!scored.empty()) scored_();
  return answer;
}

IntakeCounters Intake::counters() const {
  IntakeCounters out{batches_, repeated_, accepted_, rejected_, {}};
  for (std::size_t i = 0; i < nts_checks_.size(); ++i) out.nts_checks[i] = nts_checks_[i];
  return out;
}

Result<std::string> Intake::take_one(store::Tx& tx, const store::Monitor& monitor,
                                     const ReportedResult& result, UnixTime now, Scored& scored) {
  if (!result.fault.empty()) return result.fault;
  const auto issued =
      tickets_.check(result.ticket, monitor.id, result.server, now, settings_.ticket_lifetime);
  if (!issued.ok()) return std::string(explain(issued.error()));
  // After our clock was set back tickets are ahead of it: they only go forward.
  if (result.time < std::min(*issued, now) - kClockTolerance ||
      result.time > now + kClockTolerance) {
    return std::string("time: not between when the check was handed out and now");
  }
  auto server = TRY(store::find_server(tx, result.server));
  if (!server) return std::string("server: was removed");
  auto pair = TRY(store::find_pair(tx, result.server, monitor.id));
  if (pair && issued->ns() <= pair->last_ticket) {
    return std::string("ticket: this one or a later one was used already");
  }

  std::vector<pool::Sample> samples;
  std::vector<store::SampleEntry> entries;
  for (const ReportedSample& sample : result.samples) {
    samples.push_back(sample.sample);
    entries.push_back(sample.entry);
  }
  const pool::CheckSummary check = pool::summarise(samples);
  const pool::Step step = pool::step_of(check, settings_.scoring);
  store::Pair next;
  next.server_id = result.server;
  next.monitor_id = monitor.id;
  next.raw = pool::next_score(pair ? pair->raw : 0, step, settings_.scoring);
  next.last_check = std::min(result.time, now);
  next.last_reason = pool::name_of(step.reason);
  next.last_ticket = issued->ns();

  store::ScoreEntry entry = entry_of(check, step);
  entry.server_id = result.server;
  entry.monitor_id = monitor.id;
  entry.time = next.last_check;
  entry.score = next.raw;
  next.last_offset_s = entry.offset_s;
  next.last_rtt_s = entry.rtt_s;
  TRY(store::insert_score(tx, entry));
  TRY(store::insert_samples(tx, entry.id, entries));
  TRY(store::upsert_pair(tx, next));
  TRY(update_score(tx, *server, check, entry, now));
  scored = {result.server, next.raw, {}};
  if (!result.nts) return std::string();
  scored.nts =
      TRY(take_nts(tx, settings_, monitor.id, result.server, *result.nts, next.last_check, now));
  return std::string();
}

Result<void> Intake::update_score(store::Tx& tx, store::Server& server,
                                  const pool::CheckSummary& check, store::ScoreEntry entry,
                                  UnixTime now) {
  const auto pairs = TRY(store::list_pairs_of(tx, server.id));
  const auto median = pool::recent_median(monitor_scores(pairs), now, settings_.scoring);
  server.score = median.value_or(server.score);
  // A result that was long on its way does not hide a newer one.
  if (!server.last_check || entry.time >= *server.last_check) {
    server.last_check = entry.time;
    server.last_reason = entry.reason;
    server.last_offset_s = entry.offset_s;
    server.last_rtt_s = entry.rtt_s;
    // Without an answer the stratum last seen stands.
    if (check.best.answered()) server.stratum = check.best.stratum;
  }
  TRY(store::update_server_score(tx, server));
  entry.monitor_id = std::nullopt;
  entry.score = server.score;
  return store::insert_score(tx, entry);
}

}  // namespace timepool::service
