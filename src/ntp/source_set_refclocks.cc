// The reference clocks of the source set.
#include "ntp/pulse_source.h"
#include "ntp/source_set.h"

namespace timepool::ntp {
namespace {

SourceReport report_of(const Member& member, const Refclock& clock, MonoTime now) {
  SourceReport out;
  out.source = kNoSource;
  out.name = clock.config().name;
  out.kind = SourceKind::kRefclock;
  out.association = member.id;
  out.status = member.status;
  out.cause = member.cause;
  out.options = member.options;
  out.score = member.score;
  out.reach = clock.reach();
  out.poll = clock.poll();
  out.requests = clock.polls();
  out.last_reason = ReplyReason::kAccepted;
  out.refclock_reason = clock.last_reason();
  out.has_estimate = clock.has_samples();
  if (out.has_estimate) {
    out.estimate = clock.estimate(now);
    out.age = now - clock.latest().at.mono;
  }
  return out;
}

}  // namespace

RefclockReason SourceSet::handle_refclock(AssociationId id, RefclockReason reason,
                                          const RefclockReading& reading, LocalTime now) {
  Member* member = population_.members().find(id);
  if (member == nullptr || !member->is_refclock()) return RefclockReason::kNothingNew;
  RefclockContext context;
  context.tai_offset = tai_offset_;
  if (reading.pulse || member->refclock->config().pulses) {
    context.pulse = pulse_reference(member->refclock->config().lock, population_.sources(),
                                    population_.members(), reference_.tracking(now.mono), now);
  }
  return member->refclock->handle_look(reason, reading, now, context);
}

void SourceSet::end_refclock_poll(Member& member, LocalTime now, Outbox& out) {
  Refclock& clock = *member.refclock;
  if (now.mono < clock.next_deadline()) return;
  const bool reached = clock.reach() != 0;
  if (clock.handle_timer(now)) ++refclock_samples_;
  const bool reaches = clock.reach() != 0;
  if (reached == reaches) return;
  Event event;
  event.kind = reaches ? EventKind::kReachable : EventKind::kUnreachable;
  event.association = member.id;
  out.event(event);
}

std::vector<std::pair<AssociationId, const Refclock*>> SourceSet::refclocks() const {
  std::vector<std::pair<AssociationId, const Refclock*>> out;
  for (const Member& member : population_.members()) {
    if (member.refclock) out.emplace_back(member.id, member.refclock.get());
  }
  return out;
}

std::string SourceSet::title(AssociationId id) const {
  for (const Member& member : population_.members()) {
    if (member.id != id) continue;
    return member.refclock ? member.refclock->config().name : format(member.server());
  }
  return {};
}

void SourceSet::report_refclocks(MonoTime now, std::vector<SourceReport>& out) const {
  for (const Member& member : population_.members()) {
    if (member.refclock) out.push_back(report_of(member, *member.refclock, now));
  }
}

}  // namespace timepool::ntp
