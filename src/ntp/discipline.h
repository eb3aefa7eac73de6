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
#include "ntp/local_clock.h"

namespace timepool::ntp {

// The clock is stepped when it is further off than `threshold`, in the first `limit` updates.
struct StepRule {
  Duration threshold = Duration::seconds(1);
  std::int64_t limit = 3;  // 0: never; negative: always
  bool operator==(const StepRule&) const = default;
};

struct DisciplineConfig {
  StepRule step;
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
};

class Discipline {
 public:
  // `rate`: the base rate to begin with, from the drift file or as the clock has it.
  Discipline(const DisciplineConfig& config, double rate) : config_(config), base_(rate) {}

  // A new estimate. The caller carries out what it gets and tells the LocalClock, which is as
  // before the steering.
  Steering update(const ClockEstimate& estimate, const LocalClock& clock, LocalTime now);
  // When the slew ends; MonoTime::max() when there is none.
  MonoTime next_deadline() const { return deadline_; }
  Steering handle_timer(const LocalClock& clock, LocalTime now);
  // True time jumped by `step` against raw time, by a leap second. What the clock has not done of
  // it already is slewed, never stepped.
  Steering handle_leap(Duration step, const LocalClock& clock, LocalTime now);
  // Raw time was lost: the estimate means nothing any more. The base rate stays.
  void handle_time_lost();

  // True time less the system clock's at `now`, by the last estimate; zero before the first.
  Duration remaining(const LocalClock& clock, LocalTime now) const;
  double base_rate() const { return base_; }
  const std::optional<ClockEstimate>& estimate() const { return estimate_; }
  std::uint64_t updates() const { return updates_; }

 private:
  bool may_step(Duration offset) const;
  Duration correction_time(LocalTime now) const;
  double slew(Duration offset, LocalTime now, Duration time);

  DisciplineConfig config_;
  double base_;
  std::optional<ClockEstimate> estimate_;
  std::optional<LocalTime> last_update_;
  Duration correction_time_;
  MonoTime deadline_ = MonoTime::max();
  std::uint64_t updates_ = 0;
};

}  // namespace timepool::ntp
