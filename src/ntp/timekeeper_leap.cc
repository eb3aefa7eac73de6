// The Timekeeper at a leap second.
#include <algorithm>

#include "ntp/timekeeper.h"

namespace timepool::ntp {
namespace {

// While the kernel is waited for.
constexpr Duration kKernelCheck = Duration::milliseconds(20);

}  // namespace

UnixTime Timekeeper::utc(const ClockReading& now) const {
  return now.system + tracking(now.mono).offset;
}

// What is armed changes with what the sources say, and at midnight.
void Timekeeper::plan_leap(const ClockReading& reading, Outbox& out) {
  const Tracking tracking = this->tracking(reading.mono);
  // Who never knew the time does not know the day.
  if (tracking.association == 0) return;
  const UnixTime system = local_.system_at(reading.mono);
  const UnixTime utc = system + tracking.offset;
  if (tracking.synchronised) leap_.handle_majority(tracking.leap, utc);
  const std::optional<LeapSecond> armed = leap_.armed(utc);
  sources_.watch_leap(armed ? armed : leap_.applied());
  passage_.plan(armed, tracking.offset);
  const UnixTime next = passage_.due().value_or(next_midnight(utc) - tracking.offset);
  leap_deadline_ = next > system ? local_.mono(local_.raw(next)) : reading.mono + kKernelCheck;
  if (!clock_.steers()) return;
  if (told_leap_ != passage_.for_kernel(leap_.config().mode)) tell_status(reading.mono, out);
  tell_tai(utc, out);
}

void Timekeeper::tell_tai(UnixTime utc, Outbox& out) {
  const std::optional<int> tai = leap_.tai_offset(utc);
  if (!tai || tai == told_tai_) return;
  told_tai_ = tai;
  Result<void> told = clock_.set_tai_offset(*tai);
  if (!told.ok()) failed(std::move(told).error(), out);
}

bool Timekeeper::pass_leap(const ClockReading& now, Outbox& out) {
  const Duration stepped = local_.unexplained(now);
  const std::optional<UnixTime> due = passage_.due();
  const LeapPassage::Verdict verdict =
      passage_.judge(now.system - stepped, stepped, leap_.config().mode, clock_.steers());
  switch (verdict) {
    case LeapPassage::Verdict::kNothing:
    case LeapPassage::Verdict::kWait:
      return false;
    case LeapPassage::Verdict::kDone:
      local_.stepped(local_.mono(local_.raw(*due)), step_of(*passage_.planned()));
      sources_.handle_clock_step();
      break;
    case LeapPassage::Verdict::kStep:
      step(step_of(*passage_.planned()), out);
      break;
    case LeapPassage::Verdict::kLeave:
      break;
  }
  leap_in_slew_ = verdict == LeapPassage::Verdict::kLeave;
  leap_passed(now, out);
  return verdict == LeapPassage::Verdict::kStep;
}

void Timekeeper::leap_passed(const ClockReading& now, Outbox& out) {
  const LeapSecond leap = *passage_.planned();
  const Duration jump = step_of(leap);
  leap_.handle_applied(leap);
  passage_.passed();
  sources_.handle_leap(jump);
  Event event;
  event.kind = EventKind::kLeap;
  event.amount = jump;
  out.event(event);
  if (!clock_.steers()) return;
  carry_out(discipline_.handle_leap(jump, local_, local_.local(now.mono)), out);
  tell_status(now.mono, out);
}

}  // namespace timepool::ntp
