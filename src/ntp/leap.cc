#include "ntp/leap.h"

#include "base/civil.h"

namespace timepool::ntp {
namespace {

using wire::ntp::Leap;

// ITU-R TF.460 2.1: first preference is given to the end of December and June.
bool is_preferred(std::int64_t last_day) {
  const int next_month = civil_of(last_day + 1).month;
  return next_month == 1 || next_month == 7;
}

int seconds_of(Leap leap) {
  if (leap == Leap::kInsert) return 1;
  return leap == Leap::kDelete ? -1 : 0;
}

}  // namespace

UnixTime next_midnight(UnixTime now) {
  return start_of_day(day_of(now) + 1);
}

void LeapKeeper::handle_majority(Leap leap, UnixTime now) {
  if (leap == Leap::kUnsynchronised) return;
  majority_ = Majority{leap, day_of(now)};
}

void LeapKeeper::handle_applied(const LeapSecond& leap) {
  applied_ = leap;
  majority_.reset();
}

int LeapKeeper::seconds_by_table(UnixTime midnight) const {
  const std::optional<LeapSecond> leap = table_->next(midnight - Duration::nanoseconds(1));
  return leap && leap->at == midnight ? leap->seconds : 0;
}

// What was said yesterday says nothing about today: it is announced on the last day.
int LeapKeeper::seconds_by_majority(std::int64_t day) const {
  if (!majority_ || majority_->day != day || !is_preferred(day)) return 0;
  return seconds_of(majority_->leap);
}

std::optional<LeapSecond> LeapKeeper::armed(UnixTime now) const {
  if (config_.sources_smear || config_.mode == LeapMode::kIgnore) return {};
  const std::int64_t day = day_of(now);
  if (!begins_month(day + 1)) return {};
  const UnixTime midnight = start_of_day(day + 1);
  if (applied_ && applied_->at == midnight) return {};
  const bool by_table = table_ && !table_->expired(now);
  const int seconds = by_table ? seconds_by_table(midnight) : seconds_by_majority(day);
  if (seconds == 0) return {};
  return LeapSecond{midnight, seconds};
}

Leap LeapKeeper::announcement(UnixTime now) const {
  const std::optional<LeapSecond> leap = armed(now);
  return leap ? indicator_of(*leap) : Leap::kNone;
}

std::optional<int> LeapKeeper::tai_offset(UnixTime now) const {
  if (!table_) return {};
  return table_->tai_offset(now);
}

std::string_view name_of(LeapMode mode) {
  switch (mode) {
    case LeapMode::kKernel:
      return "kernel";
    case LeapMode::kStep:
      return "step";
    case LeapMode::kSlew:
      return "slew";
    case LeapMode::kIgnore:
      break;
  }
  return "ignore";
}

}  // namespace timepool::ntp
