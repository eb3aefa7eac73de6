// ServicePools: pools whose servers are named by SRV records. Each target in use is a source of its
// own in the Population, with its own name, port, addresses and keys, so that all that holds for a
// server with NTS holds for it. Here is decided which targets these are.
//
// LC3 several of one answer, each with a name and an address of its own; LC4 one that is not
// acceptable makes room for another, which first proves itself beside one that still gave time; LC5
// one whose name DNS no longer has is dropped; LC6 nothing is begun by records that are not proved.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ntp/population.h"
#include "ntp/service.h"
#include "ntp/target_book.h"

namespace timepool::ntp {

// LC4: so long a server is silent, while others answer, until another is tried beside it.
inline constexpr Duration kTargetPatience = Duration::seconds(300);
// LC5: so many answers in a row without an address are needed to drop one that gave time.
inline constexpr unsigned kGoneToDrop = 2;

// What is told of a pool.
struct ServiceReport {
  SourceId pool = 0;
  std::string name;       // of the pool
  std::string service;    // where its records are
  bool answered = false;  // the rest says something
  Duration age;           // of the latest answer
  ServiceVerdict verdict = ServiceVerdict::kFailed;
  DnsTrust trust = DnsTrust::kInsecure;
  bool dates_checked = true;
  std::string why;
  std::vector<JudgedTarget> refused;  // of the latest answer
  std::vector<TargetRecord> targets;
};

class ServicePools {
 public:
  // The answer to the look-up of service_name(). `population` is the same in all calls.
  void handle_answer(Population& population, SourceId pool, const ServiceAnswer& answer,
                     MonoTime now);
  // Dates of signatures can be judged from now on: what was believed without is asked again.
  void handle_dates_known(Population& population, MonoTime now);
  // The pool's settings changed: its servers' do.
  void handle_change(Population& population, SourceId pool, MonoTime now);
  // The pool goes, and its servers with it.
  void forget(Population& population, SourceId pool, MonoTime now);

  MonoTime next_deadline() const { return due_; }
  // Takes and drops servers; `survivors` agree now on the time.
  void tend(Population& population, MonoTime now, std::size_t survivors, RandomStream& random,
            Outbox& out);

  std::vector<ServiceReport> reports(const Population& population, MonoTime now) const;

  // A source that was made for a pool.
  struct Child {
    SourceId source = kNoSource;
    std::string target;                    // empty: the pool's own name
    SourceId instead = kNoSource;          // it is to take this one's place
    TargetDrop cause = TargetDrop::kNone;  // for this reason
    bool undated = false;                  // its record was believed without a look at dates
  };
  struct Pool {
    SourceId id = kNoSource;
    TargetBook book;
    std::vector<Child> children;  // at most twice kMaxPoolAddresses
    std::optional<MonoTime> answered;
    ServiceAnswer answer;                              // the latest, without its targets
    ServiceVerdict verdict = ServiceVerdict::kFailed;  // of it
    ServiceJudgement judgement;                        // of the latest that did not fail
  };

 private:
  Pool& pool_of(SourceId id);
  void drop_undated(Population& population, Pool& pool, MonoTime now);

  std::vector<Pool> pools_;
  std::vector<TargetNote> notes_;  // of calls without an Outbox; at most kMaxTargetNotes
  MonoTime due_ = MonoTime::max();
};

}  // namespace timepool::ntp
