// Discipline: decides how the system clock is brought to the true time, and when. It touches no
// clock: update() and handle_timer() say what is to be done now, as values.
//
// Frequency and phase are apart. The base rate makes up for the oscillator's frequency error; an
// offset is taken out by a temporary rate beside it, which ends at next_deadline(). What was really
// done is in the LocalClock, so a timer that is late or a rate that the kernel rounds costs no more
// than its own small error, and the next correction takes that out too.
#pragma once

#include <cstdint>
#include <optional>

#include "ntp/clock_estimate.h"
#include "ntp/correction_policy.h"
#include "ntp/local_clock.h"

namespace timepool::ntp {

struct DisciplineConfig {
  CorrectionRules rules;
  // The most that a correction adds to the rate. chrony's default, a twelfth.
  double max_slew_rate = 0.083333;
  // An offset is taken out within this share of the time since the update before, in these bounds:
  // short, because the clock is wrong until then, and not so short that noise makes it run wild.
  std::int64_t correction_share = 8;
  Duration correction_min = Duration::seconds(1);
  Duration correction_max = Duration::seconds(16);
  // A frequency that is less sure than this does not become the base rate.
  double max_frequency_sd = 1e-3;
  // How late a timer may come. A slew that would overshoot by more than `overshoot` then ends
  // earlier, and the rest is taken out more slowly.
  Duration timer_slack = Duration::milliseconds(250);
  Duration overshoot = Duration::microseconds(100);
};

struct Steering {
  // Step the clock by this first; zero: don't.
  Duration step;
  // The rate from now on.
  double rate = 0;
  // Of an update; when it is no correction the clock keeps its base rate.
  CorrectionVerdict verdict = CorrectionVerdict::kSlew;
  Duration offset;  // that was judged
};

class Discipline {
 public:
  // `rate`: the base rate to begin with, as the clock has it or from an earlier run; `rate_sd`: how
  // sure that is. An estimate that is less sure does not change it.
  Discipline(const DisciplineConfig& config, double rate, double rate_sd = 1)
      : config_(config), policy_(config.rules), base_(rate), prior_sd_(rate_sd) {}

  // A new estimate. The caller carries out what it gets and tells the LocalClock, which is as
  // before the steering.
  Steering update(const ClockEstimate& estimate, const LocalClock& clock, LocalTime now);
  // When the slew ends; MonoTime::max() when there is none.
  MonoTime next_deadline() const { return deadline_; }
  Steering handle_timer(const LocalClock& clock, LocalTime now);
  // True time jumped by `step` against raw time, by a leap second. What the clock has not done of
  // it already is slewed, never stepped.
  Steering handle_leap(Duration step, const LocalClock& clock, LocalTime now);
  // See CorrectionPolicy.
  void clock_lost_its_time() { policy_.clock_lost_its_time(); }
  // A person wants the clock corrected by the last estimate, whatever the rules say but for the
  // floor. CHECKs that there is an estimate.
  Steering accept(const LocalClock& clock, LocalTime now);
  // Raw time was lost: the estimate means nothing any more. The base rate stays.
  void handle_time_lost();

  // True time less the system clock's at `now`, by the last estimate; zero before the first.
  Duration remaining(const LocalClock& clock, LocalTime now) const;
  double base_rate() const { return base_; }
  // Whether the base rate was measured in this run.
  bool has_frequency() const { return has_frequency_; }
  const std::optional<ClockEstimate>& estimate() const { return estimate_; }
  std::uint64_t updates() const { return updates_; }
  // Of the last update: what is not corrected, and why.
  CorrectionVerdict verdict() const { return verdict_; }
  // Whether the allowance of the first start was used.
  bool first_start_used() const { return policy_.first_start_used(); }

 private:
  void take_frequency();
  Steering correct(const LocalClock& clock, LocalTime now);
  Duration correction_time(LocalTime now) const;
  double slew(Duration offset, LocalTime now, Duration time);

  DisciplineConfig config_;
  CorrectionPolicy policy_;
  double base_;
  double prior_sd_;  // of base_ while !has_frequency_
  bool has_frequency_ = false;
  std::optional<ClockEstimate> estimate_;
  std::optional<LocalTime> last_update_;
  Duration correction_time_;
  MonoTime deadline_ = MonoTime::max();
  std::uint64_t updates_ = 0;
  CorrectionVerdict verdict_ = CorrectionVerdict::kSlew;
};

}  // namespace timepool::ntp
