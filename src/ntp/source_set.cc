#include "ntp/source_set.h"

#include <algorithm>
#include <utility>

#include "base/check.h"

namespace timepool::ntp {
namespace {

bool within_limits(const SourceConfig& config) {
  return config.poll.minpoll >= kLowestPoll && config.poll.maxpoll <= kHighestPoll &&
         config.poll.minpoll <= config.poll.maxpoll && config.version >= wire::ntp::kMinVersion &&
         config.version <= wire::ntp::kMaxVersion && config.max_addresses <= kMaxPoolAddresses &&
         config.port != 0 && !config.name.empty() && config.resolve_min > Duration() &&
         config.resolve_max >= config.resolve_min && config.resolve_refresh > Duration();
}

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

}  // namespace

std::string_view name_of(SourceStatus status) {
  switch (status) {
    case SourceStatus::kSelected:
      return "selected";
    case SourceStatus::kCombined:
      return "combined";
    case SourceStatus::kNotCombined:
      return "not_combined";
    case SourceStatus::kFalseticker:
      return "falseticker";
    case SourceStatus::kUnusable:
      break;
  }
  return "unusable";
}

SourceSet::SourceSet(const SourceSetConfig& config, AuthenticatorFactory factory)
    : config_(config), factory_(std::move(factory)) {}

bool SourceSet::add(const SourceConfig& config, MonoTime now) {
  if (sources_.size() >= kMaxSources || !within_limits(config)) return false;
  sources_.emplace_back(static_cast<SourceId>(sources_.size()), config, now);
  fill_due_ = std::min(fill_due_, now);
  return true;
}

SourceSet::Member* SourceSet::find(AssociationId id) {
  const auto found = std::find_if(members_.begin(), members_.end(), [&](const Member& member) {
    return member.association->id() == id;
  });
  return found == members_.end() ? nullptr : &*found;
}

bool SourceSet::in_use(const Endpoint& server) const {
  return std::any_of(members_.begin(), members_.end(),
                     [&](const Member& member) { return member.association->server() == server; });
}

std::size_t SourceSet::members_of(SourceId source) const {
  return static_cast<std::size_t>(
      std::count_if(members_.begin(), members_.end(),
                    [&](const Member& member) { return member.source == source; }));
}

MonoTime SourceSet::next_deadline() const {
  MonoTime out = fill_due_;
  for (const Source& source : sources_) out = std::min(out, source.next_resolve());
  for (const Member& member : members_) out = std::min(out, member.association->next_deadline());
  return out;
}

void SourceSet::handle_timer(LocalTime now, RandomStream& random, Outbox& out) {
  notice_step(now, out);
  resolve(now.mono, out);
  if (now.mono >= fill_due_) {
    fill_due_ = MonoTime::max();
    for (Source& source : sources_) fill(source, now.mono);
  }
  for (Member& member : members_) {
    if (now.mono >= member.association->next_deadline()) {
      member.association->handle_timer(now, random, out);
    }
  }
  replace_failed(now.mono, out);
  update_selection(now, out);
}

ReplyReason SourceSet::handle_datagram(AssociationId association, const ReplyRx& rx, Bytes datagram,
                                       RandomStream& random, Outbox& out) {
  notice_step(rx.now, out);
  Member* member = find(association);
  const ReplyReason reason = member == nullptr
                                 ? ReplyReason::kUnsolicited
                                 : member->association->handle_datagram(rx, datagram, random, out);
  ++counts_[static_cast<std::size_t>(reason)];
  if (!is_answer(reason)) return reason;
  update_selection(rx.now, out);
  if (reason == ReplyReason::kAccepted) {
    const bool lies = member->status == SourceStatus::kFalseticker;
    member->samples_as_falseticker = lies ? member->samples_as_falseticker + 1 : 0;
  }
  // Moves members: `member` is not used after it.
  replace_failed(rx.now.mono, out);
  return reason;
}

void SourceSet::handle_transmit_timestamp(AssociationId association, UnixTime sent) {
  if (Member* member = find(association); member != nullptr) {
    member->association->handle_transmit_timestamp(sent);
  }
}

void SourceSet::handle_addresses(SourceId source, std::span<const IpAddress> addresses,
                                 MonoTime now) {
  if (source >= sources_.size()) return;
  sources_[source].handle_addresses(now, addresses);
  fill_due_ = std::min(fill_due_, now);
}

const std::string& SourceSet::name(SourceId source) const {
  CHECK(source < sources_.size());
  return sources_[source].config().name;
}

void SourceSet::notice_step(LocalTime now, Outbox& out) {
  if (last_seen_ && stepped_between(*last_seen_, now)) {
    out.event({EventKind::kClockStepped, 0, {}, ReplyReason::kLocalClockStepped});
    for (Member& member : members_) member.association->handle_clock_step(now.mono);
  }
  last_seen_ = now;
}

void SourceSet::resolve(MonoTime now, Outbox& out) {
  for (Source& source : sources_) {
    if (now < source.next_resolve() || out.resolves.full()) continue;
    source.resolving(now);
    CHECK(out.resolves.push_back(source.id()));
  }
}

// F2: as many associations as the source wants, as far as there are addresses.
void SourceSet::fill(Source& source, MonoTime now) {
  while (members_of(source.id()) < source.wanted() && members_.size() < kMaxCandidates) {
    const IpAddress* address = source.next_address();
    if (address == nullptr) {
      source.want_resolve(now);
      return;
    }
    start_association(source, *address, now);
  }
}

// False, and the address counts as failed, when another source uses the same server: asking it
// twice would give it two votes.
bool SourceSet::start_association(Source& source, const IpAddress& address, MonoTime now) {
  AssociationConfig config;
  config.server = {address, source.config().port, 0};
  const IpAddress copy = address;
  source.use(copy);
  if (in_use(config.server)) {
    source.drop(copy, now);
    return false;
  }
  config.poll = source.config().poll;
  config.exchange = config_.exchange;
  config.exchange.version = source.config().version;
  std::unique_ptr<Authenticator> authenticator =
      factory_ ? factory_(source) : std::make_unique<NoAuthentication>();
  members_.emplace_back(source.id(), std::make_unique<Association>(next_id_++, config,
                                                                   std::move(authenticator), now));
  return true;
}

// F5, F6, F7; B30: who denies us is left at once.
bool SourceSet::has_failed(const Member& member) const {
  const Association& association = *member.association;
  const SourceConfig& config = sources_[member.source].config();
  if (association.denied()) return true;
  const std::uint32_t limit = association.ever_answered() ? config.server_failure_retry_limit
                                                          : config.initial_failover_retry_limit;
  return limit != 0 && association.unanswered() >= limit;
}

// F11: it answers, but its time is of no use.
bool SourceSet::is_bad(const Member& member) const {
  return sources_[member.source].config().kind == SourceKind::kPool &&
         (member.samples_as_falseticker >= config_.bad_limit ||
          member.association->unusable() >= config_.bad_limit);
}

// F11: at a bounded rate, and only while enough others remain.
bool SourceSet::may_replace_bad(MonoTime now) const {
  const bool paced = last_replacement_ && now - *last_replacement_ < config_.replace_interval;
  return !paced && tracking_.synchronised && tracking_.survivors >= config_.min_sources;
}

void SourceSet::replace_failed(MonoTime now, Outbox& out) {
  for (std::size_t i = 0; i < members_.size(); ++i) {
    Source& source = sources_[members_[i].source];
    if (source.is_literal()) continue;  // F9
    const bool failed = has_failed(members_[i]);
    if (!failed && !(is_bad(members_[i]) && may_replace_bad(now))) continue;
    const IpAddress* address = failed ? source.next_address() : source.next_unused_address();
    if (address == nullptr) {
      source.want_resolve(now);  // F3
      continue;
    }
    if (!failed) last_replacement_ = now;
    replace(i, *address, now, out);
  }
}

void SourceSet::replace(std::size_t index, const IpAddress& address, MonoTime now, Outbox& out) {
  const Association& old = *members_[index].association;
  const SourceId id = members_[index].source;
  Source& source = sources_[id];
  const IpAddress next = address;
  if (!out.closes.push_back(old.id())) return;  // the rest at the next call
  out.event({EventKind::kReplaced, old.id(), old.server(), old.last_reason()});
  source.drop(old.server().address, now);
  if (start_association(source, next, now)) {
    std::swap(members_[index], members_.back());
    members_.pop_back();
  } else {
    members_.erase(members_.begin() + static_cast<std::ptrdiff_t>(index));
    fill_due_ = std::min(fill_due_, now);
  }
}

void SourceSet::set_status(Member& member, SourceStatus status, Outbox& out) {
  if (member.status == status) return;
  const Association& association = *member.association;
  const Event event{EventKind::kFalseticker, association.id(), association.server(),
                    association.last_reason()};
  if (status == SourceStatus::kFalseticker) out.event(event);
  if (member.status == SourceStatus::kFalseticker && status != SourceStatus::kUnusable) {
    Event again = event;
    again.kind = EventKind::kTruechimer;
    out.event(again);
  }
  member.status = status;
}

void SourceSet::update_selection(LocalTime now, Outbox& out) {
  std::vector<Candidate> candidates;
  std::vector<std::size_t> indices;
  std::size_t undecided = 0;
  for (const Source& source : sources_) undecided += source.undecided() ? source.wanted() : 0;
  for (std::size_t i = 0; i < members_.size(); ++i) {
    const Association& association = *members_[i].association;
    if (!association.decided()) ++undecided;
    if (!association.measurable()) {
      set_status(members_[i], SourceStatus::kUnusable, out);
      continue;
    }
    const Estimate estimate = association.estimate(now.mono);
    candidates.push_back({estimate.sample.offset, estimate.distance, estimate.sample.stratum,
                          members_[i].status == SourceStatus::kSelected});
    indices.push_back(i);
  }
  const Selection selection = select(candidates, undecided, config_.min_sources);
  for (std::size_t c = 0; c < candidates.size(); ++c) {
    set_status(members_[indices[c]], status_of(selection.status[c]), out);
  }
  if (selection.found) {
    take_reference(selection, indices, now, out);
    return;
  }
  if (tracking_.synchronised) out.event({EventKind::kNoMajority, 0, {}, ReplyReason::kAccepted});
  tracking_.synchronised = false;
  tracking_.leap = wire::ntp::Leap::kUnsynchronised;
  tracking_.survivors = 0;
}

void SourceSet::take_reference(const Selection& selection, std::span<const std::size_t> members,
                               LocalTime now, Outbox& out) {
  const Association& reference = *members_[members[selection.selected]].association;
  const Estimate estimate = reference.estimate(now.mono);
  if (!tracking_.synchronised || tracking_.association != reference.id()) {
    out.event({EventKind::kSelected, reference.id(), reference.server(), ReplyReason::kAccepted});
  }
  // RFC 5905 A.5.1.1 leaves the leap bits to the reference; the majority is harder to fool.
  std::array<std::size_t, 4> votes{};
  for (std::size_t c = 0; c < members.size(); ++c) {
    if (selection.status[c] == CandidateStatus::kFalseticker) continue;
    const Association& voter = *members_[members[c]].association;
    ++votes[static_cast<std::size_t>(voter.latest().leap)];
  }
  std::size_t leap = 0;
  for (std::size_t i = 1; i < 3; ++i) {
    if (2 * votes[i] > selection.survivors) leap = i;
  }
  tracking_.synchronised = true;
  tracking_.association = reference.id();
  tracking_.server = reference.server();
  tracking_.leap = static_cast<wire::ntp::Leap>(leap);
  tracking_.stratum = static_cast<std::uint8_t>(estimate.sample.stratum + 1);
  tracking_.reference_id = reference_id_of(reference.server().address);
  tracking_.updated = now;
  tracking_.offset = selection.offset;
  tracking_.uncertainty = selection.uncertainty;
  tracking_.root_delay = estimate.sample.root_delay + estimate.sample.delay;
  tracking_.root_dispersion =
      estimate.sample.root_dispersion + estimate.dispersion + estimate.jitter;
  tracking_.jitter = estimate.jitter;
  tracking_.survivors = selection.survivors;
}

std::vector<SourceReport> SourceSet::reports(MonoTime now) const {
  std::vector<SourceReport> out;
  for (const Source& source : sources_) {
    SourceReport base;
    base.source = source.id();
    base.name = source.config().name;
    base.kind = source.config().kind;
    base.poll = source.config().poll.minpoll;
    bool any = false;
    for (const Member& member : members_) {
      if (member.source != source.id()) continue;
      any = true;
      const Association& association = *member.association;
      SourceReport report = base;
      report.association = association.id();
      report.server = association.server();
      report.status = member.status;
      report.reach = association.reach();
      report.poll = association.poll();
      report.unanswered = association.unanswered();
      report.requests = association.requests();
      report.last_reason = association.last_reason();
      report.has_estimate = association.has_samples();
      if (report.has_estimate) {
        report.estimate = association.estimate(now);
        report.age = now - association.latest().at.mono;
      }
      out.push_back(std::move(report));
    }
    if (!any) out.push_back(std::move(base));
  }
  return out;
}

Tracking SourceSet::tracking(MonoTime now) const {
  Tracking out = tracking_;
  const Duration drift = drift_over(now - out.updated.mono, config_.exchange.clock_error_ppb);
  out.uncertainty += drift;
  out.root_dispersion += drift;
  return out;
}

}  // namespace timepool::ntp
