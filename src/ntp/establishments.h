// Establishments: the key establishments that a client wants and makes, each as soon as the rules
// allow: RFC 8915 4.2 for each server (nts/retry_schedule.h), and the budget of the whole client.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "ntp/address_book.h"
#include "ntp/nts_source.h"
#include "ntp/outbox.h"
#include "ntp/random_stream.h"
#include "nts/retry_schedule.h"
#include "nts/saved_sessions.h"

namespace timepool::ntp {

struct EstablishmentWish {
  EstablishmentId id = 0;  // 0 until it has begun
  SourceId source = 0;
  nts::KeyServer with;
  // Whose keys are renewed, or whose place is to be taken; 0: a new member's.
  AssociationId member = 0;
  // It takes the member's place, for this reason, when it has proved itself.
  DropCause takes_place = DropCause::kNone;
  MonoTime not_before;
  MonoTime begun;
};

class Establishments {
 public:
  // One for each member and each address in use.
  static constexpr std::size_t kMaxWishes = 64;
  static constexpr std::size_t kMaxSchedules = nts::kMaxSavedRetries;
  // One that is not answered so long has failed: the caller has a much shorter deadline.
  static constexpr Duration kPatience = Duration::seconds(60);

  // False, and nothing changes, when there are kMaxWishes.
  bool want(const EstablishmentWish& wish);
  bool wants_for(AssociationId member) const;
  // Those for new members.
  std::size_t new_of(SourceId source) const;
  // One ended. What it was for; nothing when nobody wants it any more.
  std::optional<EstablishmentWish> finish(EstablishmentId id, const EstablishmentResult& result,
                                          MonoTime now);
  // Those that were not answered in time; they are gone.
  std::vector<EstablishmentWish> take_lost(MonoTime now);
  void forget(SourceId source);

  // When begin() has something to do.
  MonoTime next() const;
  // Asks for those that may begin.
  void begin(MonoTime now, RandomStream& random, Outbox& out);

  // When the rule allows the next with this server; the past when it does now.
  MonoTime allowed(const nts::KeyServer& server) const;
  // Attempts since the last that led to authenticated time.
  std::uint32_t attempts(const nts::KeyServer& server) const;
  // When the last with this server began, and the last that gave keys; nothing when there was none
  // in this run.
  std::optional<MonoTime> last_begun(const nts::KeyServer& server) const;
  std::optional<MonoTime> last_established(const nts::KeyServer& server) const;
  // Cookies of this server brought authenticated time.
  void authenticated(const nts::KeyServer& server, MonoTime now);

  // Of the schedules: for the next run.
  std::vector<nts::SavedRetry> saved(MonoTime now, UnixTime clock) const;
  void set_saved(std::span<const nts::SavedRetry> saved, MonoTime now, UnixTime clock);

  std::uint64_t begun() const { return count_begun_; }
  std::uint64_t established() const { return count_established_; }
  std::uint64_t failed() const { return count_failed_; }

 private:
  struct Schedule {
    nts::KeyServer server;
    nts::RetrySchedule retry;
    std::optional<MonoTime> begun;
    std::optional<MonoTime> established;
  };
  const Schedule* find(const nts::KeyServer& server) const;
  Schedule& schedule_of(const nts::KeyServer& server, MonoTime now);

  std::vector<EstablishmentWish> wishes_;
  std::vector<Schedule> schedules_;
  nts::EstablishmentBudget budget_;
  EstablishmentId next_id_ = 1;
  std::uint64_t count_begun_ = 0;
  std::uint64_t count_established_ = 0;
  std::uint64_t count_failed_ = 0;
};

}  // namespace timepool::ntp
