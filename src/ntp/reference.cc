#include "ntp/reference.h"

#include <array>
#include <vector>

#include "base/check.h"
#include "ntp/combine.h"
#include "ntp/exchange.h"

namespace timepool::ntp {
namespace {

SourceStatus status_of(CandidateStatus status) {
  switch (status) {
    case CandidateStatus::kSelected:
      return SourceStatus::kSelected;
    case CandidateStatus::kCombined:
      return SourceStatus::kCombined;
    case CandidateStatus::kNotCombined:
      return SourceStatus::kNotCombined;
    case CandidateStatus::kFalseticker:
      return SourceStatus::kFalseticker;
    case CandidateStatus::kNoMajority:
      break;
  }
  return SourceStatus::kUnusable;
}

wire::ntp::ReferenceId reference_id_of(const IpAddress& address) {
  // DEVIATION(rfc5905 7.3): for IPv6 it would be part of an MD5 digest, which says nothing to
  // anybody; zero is understood as unknown.
  return wire::ntp::ReferenceId::from_bits(address.is_v4() ? address.v4_bits() : 0);
}

// Those who may still answer: they count against the majority.
std::size_t undecided_of(const SourceTable& sources, const Members& members) {
  std::size_t out = 0;
  for (const Source& source : sources) out += source.undecided() ? source.wanted() : 0;
  for (const Member& member : members) out += member.measured().decided() ? 0U : 1U;
  return out;
}

// RFC 5905 A.5.1.1 leaves the leap bits to the reference; the majority is harder to fool.
wire::ntp::Leap leap_of(const Selection& selection, const Members& members,
                        std::span<const std::size_t> indices) {
  std::array<std::size_t, 4> votes{};
  for (std::size_t c = 0; c < indices.size(); ++c) {
    if (selection.status[c] == CandidateStatus::kFalseticker) continue;
    ++votes[static_cast<std::size_t>(members[indices[c]].measured().latest().leap)];
  }
  std::size_t leap = 0;
  for (std::size_t i = 1; i < 3; ++i) {
    if (2 * votes[i] > selection.survivors) leap = i;
  }
  return static_cast<wire::ntp::Leap>(leap);
}

// Of those who are combined.
ClockEstimate clock_of(const Selection& selection, const Members& members,
                       std::span<const std::size_t> indices, LocalTime now) {
  std::vector<Estimate> estimates;
  for (std::size_t c = 0; c < indices.size(); ++c) {
    const CandidateStatus status = selection.status[c];
    if (status != CandidateStatus::kSelected && status != CandidateStatus::kCombined) continue;
    estimates.push_back(members[indices[c]].measured().estimate(now.mono));
  }
  const std::optional<ClockEstimate> combined = combine(estimates, now);
  CHECK(combined);  // one is selected
  ClockEstimate out = *combined;
  // The bound was made about the selection's own mean.
  out.bound = selection.uncertainty + (out.offset - selection.offset).abs();
  out.sources = selection.survivors;
  return out;
}

}  // namespace

void Reference::update(const SourceTable& sources, Members& members, LocalTime now, Outbox& out) {
  std::vector<Candidate> candidates;
  std::vector<std::size_t> indices;
  for (std::size_t i = 0; i < members.size(); ++i) {
    const Measured& measured = members[i].measured();
    if (!measured.measurable()) {
      set_status(members[i], SourceStatus::kUnusable, out);
      continue;
    }
    const Estimate estimate = measured.estimate(now.mono);
    candidates.push_back({estimate.offset, estimate.distance, estimate.sample.stratum,
                          members[i].status == SourceStatus::kSelected});
    indices.push_back(i);
  }
  const Selection selection = select(candidates, undecided_of(sources, members), min_sources_);
  for (std::size_t c = 0; c < candidates.size(); ++c) {
    set_status(members[indices[c]], status_of(selection.status[c]), out);
  }
  if (selection.found) {
    take(selection, members, indices, now, out);
    return;
  }
  if (tracking_.synchronised) out.event({EventKind::kNoMajority, 0, {}, ReplyReason::kAccepted});
  tracking_.synchronised = false;
  tracking_.leap = wire::ntp::Leap::kUnsynchronised;
  tracking_.survivors = 0;
}

void Reference::set_status(Member& member, SourceStatus status, Outbox& out) const {
  if (member.status == status) return;
  const Event event{EventKind::kFalseticker, member.id, member.server(), member.last_reason()};
  if (status == SourceStatus::kFalseticker) out.event(event);
  if (member.status == SourceStatus::kFalseticker && status != SourceStatus::kUnusable) {
    Event again = event;
    again.kind = EventKind::kTruechimer;
    out.event(again);
  }
  member.status = status;
}

void Reference::take(const Selection& selection, const Members& members,
                     std::span<const std::size_t> indices, LocalTime now, Outbox& out) {
  const Member& member = members[indices[selection.selected]];
  const Estimate estimate = member.measured().estimate(now.mono);
  if (!tracking_.synchronised || tracking_.association != member.id) {
    out.event({EventKind::kSelected, member.id, member.server(), ReplyReason::kAccepted});
  }
  tracking_.synchronised = true;
  tracking_.association = member.id;
  tracking_.server = member.server();
  tracking_.leap = leap_of(selection, members, indices);
  tracking_.stratum = static_cast<std::uint8_t>(estimate.sample.stratum + 1);
  tracking_.reference_id = reference_id_of(member.server().address);
  tracking_.updated = now;
  tracking_.clock = clock_of(selection, members, indices, now);
  tracking_.offset = tracking_.clock.offset;
  tracking_.uncertainty = tracking_.clock.bound;
  tracking_.root_delay = estimate.sample.root_delay + estimate.sample.delay;
  tracking_.root_dispersion =
      estimate.sample.root_dispersion + estimate.dispersion + estimate.jitter;
  tracking_.jitter = estimate.jitter;
  tracking_.survivors = selection.survivors;
}

Tracking Reference::tracking(MonoTime now) const {
  Tracking out = tracking_;
  const Duration drift = drift_over(now - out.updated.mono, clock_error_ppb_);
  out.uncertainty += drift;
  out.root_dispersion += drift;
  return out;
}

}  // namespace timepool::ntp
