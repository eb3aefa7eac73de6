#include "ntp/source_set.h"

#include <algorithm>
#include <utility>

#include "base/check.h"

namespace timepool::ntp {
namespace {

SourceReport report_of(const Source& source) {
  SourceReport out;
  out.source = source.id();
  out.name = source.config().name;
  out.kind = source.config().kind;
  out.key = source.config().key;
  out.poll = source.config().poll.minpoll;
  out.online = source.config().poll.online;
  out.nts_required = source.config().nts.required;
  return out;
}

NtsReport nts_report_of(const Source& source, const Member& member, const Population& population,
                        MonoTime now) {
  NtsReport out;
  out.state = member.nts->state();
  out.key_server = member.origin;
  out.key_age = now - member.established;
  out.key_lifetime = population.config().key_lifetime;
  out.certificate = member.certificate;
  const nts::KeyServer server = Population::key_server(source, member.origin);
  const Establishments& made = population.establishments();
  if (const auto begun = made.last_begun(server)) out.since_attempt = now - *begun;
  if (const auto keys = made.last_established(server)) out.since_keys = now - *keys;
  out.attempts = made.attempts(server);
  return out;
}

SourceReport report_of(const Source& source, const Member& member, MonoTime now) {
  const Association& association = *member.association;
  SourceReport out = report_of(source);
  out.association = member.id;
  out.server = association.server();
  out.status = member.status;
  out.cause = member.cause;
  out.options = member.options;
  out.authenticated = member.authenticated();
  out.score = member.score;
  out.reach = association.reach();
  out.poll = association.poll();
  out.unanswered = association.unanswered();
  out.requests = association.requests();
  out.last_reason = association.last_reason();
  out.online = association.online();
  out.in_burst = association.in_burst();
  out.received = association.received();
  out.answered = association.answered();
  out.accepted = association.count(ReplyReason::kAccepted);
  out.last_answer = association.last_answer();
  out.has_estimate = association.has_samples();
  if (out.has_estimate) {
    out.estimate = association.estimate(now);
    out.age = now - association.latest().at.mono;
  }
  return out;
}

SelectionConfig selection_of(const SourceSetConfig& config) {
  SelectionConfig out = config.selection;
  out.min_sources = config.min_sources;
  return out;
}

bool has_servers(const SourceTable& sources, SourceId pool) {
  return std::any_of(sources.begin(), sources.end(),
                     [pool](const Source& it) { return it.config().pool == pool; });
}

// F11: what it answers can't be used, and that is its own fault.
bool is_useless(Cause cause) {
  switch (cause) {
    case Cause::kFalseticker:
    case Cause::kOurselves:
    case Cause::kLoop:
    case Cause::kUnsynchronised:
    case Cause::kStratum:
    case Cause::kTooDistant:
    case Cause::kTooVariable:
      return true;
    default:
      return false;
  }
}

}  // namespace

SourceSet::SourceSet(const SourceSetConfig& config, AuthenticatorFactory factory)
    : population_(config, std::move(factory)),
      reference_(selection_of(config),
                 std::max(config.exchange.clock_error_ppb, config.exchange.max_clock_error_ppb)) {}

MonoTime SourceSet::next_deadline() const {
  MonoTime out = std::min(
      {population_.next_deadline(), reference_.next_deadline(), services_.next_deadline()});
  for (const Member& member : population_.members()) {
    out = std::min(out, member.association ? member.association->next_deadline()
                                           : member.refclock->next_deadline());
  }
  return out;
}

void SourceSet::handle_timer(LocalTime now, RandomStream& random, Outbox& out) {
  population_.grow(now.mono, out);
  for (Member& member : population_.members()) {
    if (member.association && now.mono >= member.association->next_deadline()) {
      member.association->handle_timer(now, random, out);
      population_.observe(member, now.mono);
    }
    if (member.refclock) end_refclock_poll(member, now, out);
  }
  population_.care(now.mono, reference_.survivors(), out);
  population_.recover(now.mono, random, out);
  services_.tend(population_, now.mono, reference_.survivors(), random, out);
  update(now, out);
}

ReplyReason SourceSet::handle_datagram(AssociationId association, const ReplyRx& rx, Bytes datagram,
                                       RandomStream& random, Outbox& out) {
  Member* member = population_.members().find(association);
  const ReplyReason reason = member == nullptr || member->association == nullptr
                                 ? ReplyReason::kUnsolicited
                                 : member->association->handle_datagram(rx, datagram, random, out);
  ++counts_[static_cast<std::size_t>(reason)];
  if (!is_answer(reason)) return reason;
  const bool usable = reason == ReplyReason::kAccepted;
  population_.answered(*member, usable, rx.now.mono, out);
  update(rx.now, out);
  if (usable) {
    member->useless = is_useless(member->cause) ? member->useless + 1 : 0;
  }
  // Moves members: `member` is not used after it.
  population_.care(rx.now.mono, reference_.survivors(), out);
  return reason;
}

ReplyReason SourceSet::handle_broadcast(SourceId source, const Endpoint& from, const ReplyRx& rx,
                                        Bytes datagram, RandomStream& random, Outbox& out) {
  const Result<AssociationId, ReplyReason> member =
      population_.broadcast_member(source, from, datagram, rx.now.mono, random);
  if (!member.ok()) {
    ++counts_[static_cast<std::size_t>(member.error())];
    return member.error();
  }
  const ReplyReason reason = handle_datagram(*member, rx, datagram, random, out);
  population_.note_broadcast(source, datagram, reason);
  return reason;
}

const std::string& SourceSet::name(SourceId source) const {
  const Source* found = population_.sources().find(source);
  CHECK(found != nullptr);
  return found->config().name;
}

void SourceSet::handle_clock_step() {
  for (Member& member : population_.members()) member.measured().handle_clock_step();
}

void SourceSet::handle_leap(Duration step) {
  for (Member& member : population_.members()) member.measured().handle_leap(step);
  population_.forget_saved();
  reference_.handle_leap(step);
}

void SourceSet::handle_time_lost(MonoTime now) {
  for (Member& member : population_.members()) member.measured().handle_time_lost(now);
  reference_.handle_time_lost();
  population_.forget_saved();
}

void SourceSet::update(LocalTime now, Outbox& out) {
  reference_.update(population_.sources(), population_.members(), now, out);
}

std::vector<SourceReport> SourceSet::reports(MonoTime now) const {
  std::vector<SourceReport> out;
  for (const Source& source : population_.sources()) {
    const std::size_t first = out.size();
    bool any = false;
    for (const Member& member : population_.members()) {
      if (member.source != source.id()) continue;
      any = true;
      out.push_back(report_of(source, member, now));
      if (member.nts == nullptr) continue;
      out.back().nts = nts_report_of(source, member, population_, now);
    }
    // A pool is told of by its servers.
    const bool told = source.finds_services() && has_servers(population_.sources(), source.id());
    if (!any && !told) out.push_back(report_of(source));
    const Source* pool = population_.sources().find(source.config().pool);
    if (pool == nullptr) continue;
    for (std::size_t i = first; i < out.size(); ++i) out[i].pool = pool->config().name;
  }
  report_refclocks(now, out);
  return out;
}

}  // namespace timepool::ntp
