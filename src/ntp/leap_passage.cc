#include "ntp/leap_passage.h"

namespace timepool::ntp {
namespace {

LeapNearness nearness_of(Duration after, Duration step) {
  LeapNearness out;
  out.near = after.abs() <= kLeapFoldTime;
  out.dead = after.abs() <= kLeapDeadTime;
  out.after = after;
  out.step = step;
  return out;
}

}  // namespace

void LeapPassage::plan(const std::optional<LeapSecond>& armed, Duration remaining) {
  planned_ = armed;
  near_ = remaining.abs() <= kLeapClockNear;
  // The kernel goes by its own clock: so does who is as good as right.
  remaining_ = near_ ? Duration() : remaining;
}

std::optional<UnixTime> LeapPassage::due() const {
  if (!planned_) return {};
  return moment_of(*planned_) - remaining_;
}

LeapPassage::Verdict LeapPassage::judge(UnixTime system, Duration stepped, LeapMode mode,
                                        bool steers) const {
  if (!planned_ || system < *due()) return Verdict::kNothing;
  if ((stepped - step_of(*planned_)).abs() <= kLeapFoldWidth) return Verdict::kDone;
  if (!near_ || mode == LeapMode::kSlew) return Verdict::kLeave;
  if (steers && mode == LeapMode::kStep) return Verdict::kStep;
  if (system < *due() + kLeapKernelLate) return Verdict::kWait;
  return steers ? Verdict::kStep : Verdict::kLeave;
}

void LeapPassage::passed() {
  passed_ = planned_;
  planned_.reset();
}

LeapNearness LeapPassage::nearness(UnixTime utc) const {
  if (passed_) {
    const LeapNearness out =
        nearness_of(utc - (moment_of(*passed_) + step_of(*passed_)), step_of(*passed_));
    if (out.near) return out;
  }
  if (planned_) return nearness_of(utc - moment_of(*planned_), step_of(*planned_));
  return {};
}

}  // namespace timepool::ntp
