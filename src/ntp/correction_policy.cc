#include "ntp/correction_policy.h"

namespace timepool::ntp {

std::string_view name_of(CorrectionVerdict verdict) {
  switch (verdict) {
    case CorrectionVerdict::kSlew:
      return "slew";
    case CorrectionVerdict::kStep:
      return "step";
    case CorrectionVerdict::kIgnored:
      return "ignored";
    case CorrectionVerdict::kMaxChange:
      return "max_change";
    case CorrectionVerdict::kPanic:
      return "panic";
    case CorrectionVerdict::kBeforeFloor:
      break;
  }
  return "before_floor";
}

bool CorrectionPolicy::above_max_change(const Correction& correction, std::uint64_t updates) const {
  const MaxChange& rule = rules_.max_change;
  return rule.offset > Duration() && correction.offset.abs() > rule.offset &&
         updates > static_cast<std::uint64_t>(rule.start);
}

bool CorrectionPolicy::may_pass_panic(const Correction& correction) {
  if (rules_.panic == Duration() || correction.offset.abs() <= rules_.panic) return true;
  if (rules_.panic_quorum > 0 && correction.authenticated >= rules_.panic_quorum) return true;
  first_start_used_ = first_start_used_ || rules_.first_start;
  return rules_.first_start;
}

// B26: a step may need more sources than a slew.
bool CorrectionPolicy::may_step(const Correction& correction, std::uint64_t updates) const {
  const StepRule& rule = rules_.step;
  return correction.offset.abs() > rule.threshold && correction.sources >= rule.min_sources &&
         (rule.limit < 0 || updates <= static_cast<std::uint64_t>(rule.limit));
}

CorrectionVerdict CorrectionPolicy::judge(const Correction& correction, std::uint64_t updates) {
  const UnixTime target = correction.system + correction.offset;
  // B27. A clock that is before the floor already may always come nearer to it.
  const bool back = correction.offset < Duration();
  if (back && target < rules_.floor) return CorrectionVerdict::kBeforeFloor;
  if (accepted_) {
    accepted_ = false;
    ignored_ = 0;
    if (target < rules_.last_good) rules_.last_good = target;
    return CorrectionVerdict::kStep;
  }
  if (back && target < rules_.last_good) return CorrectionVerdict::kBeforeFloor;
  if (above_max_change(correction, updates)) {
    ++ignored_;
    return ignored_ <= rules_.max_change.ignore ? CorrectionVerdict::kIgnored
                                                : CorrectionVerdict::kMaxChange;
  }
  ignored_ = 0;
  if (!may_pass_panic(correction)) return CorrectionVerdict::kPanic;
  const CorrectionVerdict verdict =
      may_step(correction, updates) ? CorrectionVerdict::kStep : CorrectionVerdict::kSlew;
  // The allowance lasts while a great offset is slewed, and no longer.
  if (verdict == CorrectionVerdict::kStep || correction.offset.abs() <= rules_.panic) {
    rules_.first_start = false;
  }
  return verdict;
}

}  // namespace timepool::ntp
