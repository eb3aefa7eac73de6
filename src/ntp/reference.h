// Reference: the time that is made from the members: selects among them, gives each its status, and
// keeps what is known of the reference.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <utility>

#include "ntp/loop.h"
#include "ntp/members.h"
#include "ntp/outbox.h"
#include "ntp/selection.h"
#include "ntp/smear_watch.h"
#include "ntp/source_report.h"
#include "ntp/source_table.h"

namespace timepool::ntp {

// Before there is a reference for the first time, or for the first time after time was lost, those
// who are silent are waited for this long after the first answer of anybody, so that the quickest
// do not decide alone. It costs time only where those who answer are no majority of all.
inline constexpr Duration kStartPatience = Duration::seconds(32);
// A source that agreed and fell silent stays a juror for so long (ADR 0025).
inline constexpr Duration kRememberedFor = Duration::seconds(3600);

class Reference {
 public:
  // The second is the drift that the bound grows with.
  Reference(const SelectionConfig& config, std::int64_t clock_error_ppb)
      : config_(config), clock_error_ppb_(clock_error_ppb) {}

  void set_own_identity(OwnIdentity own) { own_ = std::move(own); }
  // The leap second that is near, around which smears are looked for.
  void watch_leap(const std::optional<LeapSecond>& leap) { smears_.set_leap(leap); }

  // Selects anew and sets the members' statuses.
  void update(const SourceTable& sources, Members& members, LocalTime now, Outbox& out);
  // When update() may come to something else though nobody says anything.
  MonoTime next_deadline() const { return patience_ends_.value_or(MonoTime::max()); }
  // Raw time was lost: all are waited for as at the start.
  void handle_time_lost();
  // True time jumped against raw time.
  void handle_leap(Duration step) {
    tracking_.offset += step;
    tracking_.clock.offset += step;
  }
  // How many agree; 0 without a majority.
  std::size_t survivors() const { return tracking_.survivors; }
  Tracking tracking(MonoTime now) const;
  // What the latest selection came to.
  Agreement agreement() const { return agreement_; }
  const SelectionConfig& config() const { return config_; }

 private:
  bool decided(const Member& member, MonoTime now) const;
  void end_patience(std::span<const Candidate> candidates, bool found, MonoTime now);
  Candidate candidate_of(const Member& member, const SourceTable& sources, MonoTime now) const;
  void find_smears(const Members& members, LocalTime now, std::span<Candidate> candidates);
  bool follow_orphan(const Members& members, const Absent& absent,
                     std::span<Candidate> candidates) const;
  void set_cause(Member& member, Cause cause, Outbox& out) const;
  void take(const Selection& selection, const Members& members, LocalTime now, Outbox& out);

  SelectionConfig config_;
  std::int64_t clock_error_ppb_;
  OwnIdentity own_;
  SmearWatch smears_;
  bool patient_ = true;                    // there was no reference yet since time began
  std::optional<MonoTime> patience_ends_;  // once somebody has a vote, while patient
  Agreement agreement_ = Agreement::kNobody;
  Tracking tracking_;
};

}  // namespace timepool::ntp
