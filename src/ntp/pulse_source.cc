#include "ntp/pulse_source.h"

namespace timepool::ntp {
namespace {

bool is_named(const Member& member, std::string_view name, const SourceTable& sources) {
  if (member.is_refclock()) return member.refclock->config().name == name;
  const Source* source = sources.find(member.source);
  return source != nullptr && source->config().name == name;
}

std::optional<PulseReference> reference_of(const Member& member, MonoTime now) {
  if (member.measured().measurable()) {
    const Estimate estimate = member.measured().estimate(now);
    return PulseReference{estimate.offset, estimate.distance};
  }
  // Before its first poll is over: pulses need not wait for it.
  return member.is_refclock() ? member.refclock->rough_time() : std::nullopt;
}

}  // namespace

std::optional<PulseReference> pulse_reference(std::string_view lock, const SourceTable& sources,
                                              const Members& members, const Tracking& tracking,
                                              LocalTime now) {
  if (lock.empty()) {
    if (!tracking.synchronised) return std::nullopt;
    return PulseReference{tracking.clock.offset_at(now.raw), tracking.uncertainty};
  }
  std::optional<PulseReference> out;
  for (const Member& member : members) {
    if (!is_named(member, lock, sources)) continue;
    const std::optional<PulseReference> said = reference_of(member, now.mono);
    if (said && (!out || said->bound < out->bound)) out = said;
  }
  return out;
}

}  // namespace timepool::ntp
