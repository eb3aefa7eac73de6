// Intake: hands out checks to monitors and takes in what they found. A batch of results is one
// transaction: when take_results() returns without an error, everything it accepted is durable, and
// the same Idempotency-Key gets the same answer without a second effect. Any thread.
#pragma once

#include <array>
#include <atomic>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "pool/nts_check.h"
#include "pool/scoring.h"
#include "service/registry.h"
#include "service/scheduler.h"
#include "service/settings.h"
#include "service/ticket.h"
#include "store/db.h"
#include "store/history.h"

namespace timepool::service {

// What a monitor is to check of a server's NTS besides.
struct NtsWork {
  std::string name;  // for the key establishment: full, lower case, without the last dot
  std::uint16_t port = 0;
  std::string trust;  // which roots its certificate has to lead to, as [nts] trust says
};

struct WorkItem {
  std::int64_t server = 0;
  IpAddress address;
  std::uint16_t port = 0;
  std::uint32_t samples = 0;
  std::string ticket;
  std::optional<NtsWork> nts{};  // none: the server has no name
};

struct ReportedSample {
  pool::Sample sample;
  store::SampleEntry entry;
};

// What a monitor found of a server's NTS. Seconds; values that the check did not get to are none.
struct ReportedNts {
  std::string name;  // and port: as the work had them, which may have changed since
  std::uint16_t port = 0;
  pool::NtsOutcome outcome = pool::NtsOutcome::kOk;
  std::optional<std::int64_t> code;  // of kKeError
  std::string detail;                // for people: "certificate has expired"
  std::optional<UnixTime> not_after;
  std::optional<std::int64_t> cookies;
  std::optional<std::int64_t> aead;
  std::optional<double> ke_ms;  // from the first SYN to the last record
  std::optional<double> offset_s;
  bool operator==(const ReportedNts&) const = default;
};

// One result as parsed; `fault` says what is wrong with its form ("samples[1].rtt_s: expected a
// number"), and then the rest does not count.
struct ReportedResult {
  std::int64_t server = 0;
  std::string ticket;
  UnixTime time;
  std::vector<ReportedSample> samples;
  std::optional<ReportedNts> nts;
  std::string fault;
};

// Limits on one batch: about 1 MB of JSON, and a transaction of some 0.1 s.
inline constexpr std::size_t kMaxResults = 500;
inline constexpr std::size_t kMaxSamples = 32;
inline constexpr std::size_t kMaxNtsDetail = 200;

struct Batch {
  std::string key;   // Idempotency-Key
  std::string body;  // as sent: tells a repeated request from another one with the same key
  std::vector<ReportedResult> results;
};

struct IntakeCounters {
  std::uint64_t batches = 0;   // taken, repeated ones not counted
  std::uint64_t repeated = 0;  // answered from the stored answer
  std::uint64_t accepted = 0;  // results
  std::uint64_t rejected = 0;
  std::array<std::uint64_t, pool::kNtsOutcomes> nts_checks{};  // by outcome
};

struct NtsTaken {
  bool counted = false;  // not: the server has another name or port by now
  bool changed = false;  // the state of its NTS
  pool::NtsOutcome outcome = pool::NtsOutcome::kOk;
};

class Intake {
 public:
  // `scored` is called after each batch that changed a score, `nts_changed` after each that changed
  // the state of a server's NTS. `last_issue` is when the last ticket
  // that was used was made.
  Intake(store::Db& db, const Settings& settings, Scheduler& scheduler, Tickets tickets,
         UnixClock now, std::function<void()> scored, std::function<void()> nts_changed,
         UnixTime last_issue);

  // What is due for the monitor now, and when something next will be.
  struct Work {
    std::vector<WorkItem> items;
    std::optional<MonoTime> next_due;
  };
  Result<Work> work_for(const store::Monitor& monitor, MonoTime now);

  // The answer's JSON: {"accepted":N,"rejected":[{"index":I,"reason":"..."}]}. Errors: kInvalid,
  // kExists when the key was used for another request, and those of the store.
  Result<std::string> take_results(const store::Monitor& monitor, const Batch& batch);
  IntakeCounters counters() const;

 private:
  struct Scored {
    std::int64_t server = 0;
    double score = 0;
    NtsTaken nts;
  };
  // "" when the result was taken, else why not.
  Result<std::string> take_one(store::Tx& tx, const store::Monitor& monitor,
                               const ReportedResult& result, UnixTime now, Scored& scored);
  Result<void> update_score(store::Tx& tx, store::Server& server, const pool::CheckSummary& check,
                            store::ScoreEntry entry, UnixTime now);
  // A time for tickets that is later than any before, whatever the clock does.
  UnixTime next_issue();

  store::Db& db_;
  const Settings& settings_;
  Scheduler& scheduler_;
  Tickets tickets_;
  UnixClock now_;
  std::function<void()> scored_;
  std::function<void()> nts_changed_;
  std::mutex issue_mutex_;
  UnixTime last_issue_;
  std::atomic<std::uint64_t> batches_{0};
  std::atomic<std::uint64_t> repeated_{0};
  std::atomic<std::uint64_t> accepted_{0};
  std::atomic<std::uint64_t> rejected_{0};
  std::array<std::atomic<std::uint64_t>, pool::kNtsOutcomes> nts_checks_{};
};

}  // namespace timepool::service
