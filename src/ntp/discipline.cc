#include "ntp/discipline.h"

#include <algorithm>
#include <cmath>

#include "base/check.h"

namespace timepool::ntp {

Duration Discipline::remaining(const LocalClock& clock, LocalTime now) const {
  if (!estimate_) return {};
  return estimate_->offset_at(now.raw) - clock.correction(now.raw);
}

Duration Discipline::correction_time(LocalTime now) const {
  const Duration interval = last_update_ ? now.mono - last_update_->mono : Duration();
  return std::clamp(interval / config_.correction_share, config_.correction_min,
                    config_.correction_max);
}

// The rate that takes `offset` out in `time`, and when it is to end.
double Discipline::slew(Duration offset, LocalTime now, Duration time) {
  const double seconds = offset.to_seconds();
  if (seconds == 0) {
    deadline_ = MonoTime::max();
    return base_;
  }
  const double rate =
      std::clamp(seconds / time.to_seconds(), -config_.max_slew_rate, config_.max_slew_rate);
  double length = seconds / rate;
  // What a late timer adds must stay small: the last of a fast slew is left to a slower one.
  const double slack = config_.timer_slack.to_seconds();
  if (std::abs(rate) * slack > config_.overshoot.to_seconds()) {
    length = std::max(length - slack, length / 2);
  }
  // mono runs with the system clock.
  deadline_ = now.mono + Duration::from_seconds(length * (1 + base_ + rate));
  return base_ + rate;
}

Steering Discipline::update(const ClockEstimate& estimate, const LocalClock& clock, LocalTime now) {
  ++updates_;
  estimate_ = estimate;
  correction_time_ = correction_time(now);
  last_update_ = now;
  return correct(clock, now);
}

// The first estimates of a run may know less than the run before did.
void Discipline::take_frequency() {
  const double limit =
      has_frequency_ ? config_.max_frequency_sd : std::min(config_.max_frequency_sd, prior_sd_);
  if (estimate_->has_frequency && estimate_->frequency_sd <= limit) {
    base_ = estimate_->frequency;
    has_frequency_ = true;
  } else {
    estimate_->frequency = base_;
    estimate_->has_frequency = true;
  }
}

Steering Discipline::correct(const LocalClock& clock, LocalTime now) {
  const Duration offset = remaining(clock, now);
  verdict_ = policy_.judge(
      {offset, clock.system(now.raw), estimate_->sources, estimate_->authenticated}, updates_);
  // Nothing is taken from an estimate that is not believed.
  if (is_correction(verdict_)) take_frequency();
  if (verdict_ == CorrectionVerdict::kSlew) {
    return {Duration(), slew(offset, now, correction_time_), verdict_, offset};
  }
  deadline_ = MonoTime::max();
  return {verdict_ == CorrectionVerdict::kStep ? offset : Duration(), base_, verdict_, offset};
}

Steering Discipline::accept(const LocalClock& clock, LocalTime now) {
  CHECK(estimate_.has_value());
  policy_.accept();
  return correct(clock, now);
}

Steering Discipline::handle_timer(const LocalClock& clock, LocalTime now) {
  const Duration offset = remaining(clock, now);
  // What was refused is not slewed either, when a leap comes.
  if (!is_correction(verdict_) || offset.abs() <= config_.overshoot) {
    deadline_ = MonoTime::max();
    return {Duration(), base_, verdict_, offset};
  }
  return {Duration(), slew(offset, now, correction_time_), verdict_, offset};
}

Steering Discipline::handle_leap(Duration step, const LocalClock& clock, LocalTime now) {
  if (estimate_) estimate_->offset += step;
  return handle_timer(clock, now);
}

void Discipline::handle_time_lost() {
  estimate_.reset();
  last_update_.reset();
  deadline_ = MonoTime::max();
}

}  // namespace timepool::ntp
