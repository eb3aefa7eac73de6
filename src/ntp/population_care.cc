// The part of the Population that decides who goes: outages, dead servers, useless ones, and those
// that say only what another says too.
#include <algorithm>
#include <utility>
#include <vector>

#include "base/check.h"
#include "ntp/population.h"

namespace timepool::ntp {
namespace {

// A member asks another out of turn to learn whether the network is there, this often at the most;
// and each is asked so at most once in kWitnessSpacing.
constexpr Duration kWitnessInterval = Duration::seconds(4);
constexpr Duration kWitnessSpacing = Duration::seconds(60);
// After an outage every member is asked at once.
constexpr Duration kBackSpacing = Duration::seconds(2);
// F6 for a server that answered and now has no route, for as many requests.
constexpr std::uint32_t kUnsentLimit = 8;

// Without a majority there is no time to lose: so long is waited for one, and so long between two
// addresses that are tried in its stead.
constexpr Duration kMajorityWait = Duration::seconds(64);
constexpr Duration kContestInterval = Duration::seconds(256);

bool overlap(const Estimate& a, const Estimate& b) {
  return (a.sample.offset - b.sample.offset).abs() <= a.distance + b.distance;
}

// By a packet, now.
bool askable(const Member& member) {
  return member.association && member.association->online() && member.association->asks() &&
         !member.association->denied();
}

}  // namespace

void Population::care(MonoTime now, std::size_t survivors, Outbox& out) {
  if (tell_outage_over_) {
    tell_outage_over_ = false;
    end_outage(now);
    out.event({EventKind::kOutageOver, 0, {}, ReplyReason::kAccepted});
  }
  if (outage_.observe(silence(), now)) {
    next_probe_ = now + kOutageProbe;
    out.event({EventKind::kOutage, 0, {}, ReplyReason::kAccepted});
  }
  if (outage_.on()) {
    probe_in_outage(now);
  } else {
    call_witness(now);
  }
  drop_gone(now);
  replace_failed(now, survivors, out);
  replace_redundant(now, survivors, out);
  replace_contested(now, survivors, out);
  flush_closes(out);
}

SilenceCount Population::silence() const {
  SilenceCount out;
  LossCount losses{0, 0, 0};
  for (const Member& member : members_) {
    if (!askable(member)) continue;
    ++out.asked;
    if (member.unsent > 0) ++out.unsent;
    if (!member.association->ever_answered()) continue;
    ++out.known;
    out.misses += member.liveness.misses_unheard();
    losses.add(member.liveness.losses());
    if (member.unsent == 0 && member.liveness.misses() < kSilentAfter) ++out.speaking;
  }
  if (out.known > 0) out.loss = losses.share();
  return out;
}

std::size_t Population::others_known(const Member& member) const {
  return static_cast<std::size_t>(
      std::count_if(members_.begin(), members_.end(), [&](const Member& other) {
        return other.id != member.id && askable(other) && other.association->ever_answered();
      }));
}

// What happens to the others' packets counts as well: a new member has not lost many yet.
double Population::usual_loss(const Member& member) const {
  LossCount others{0, 0, 0};
  for (const Member& other : members_) {
    if (other.id == member.id || !askable(other) || !other.association->ever_answered()) continue;
    others.add(other.liveness.losses());
  }
  const double own = member.liveness.losses().share();
  return others.asked > 0 ? std::max(others.share(), own) : own;
}

// Somebody is silent and nobody has been asked since: another server tells whether the network is
// there, so that a dead one is known in time at long intervals too.
void Population::call_witness(MonoTime now) {
  witness_due_ = MonoTime::max();
  const bool wanted = std::any_of(members_.begin(), members_.end(), [&](const Member& member) {
    // With NTS nothing is spent before it is known.
    const std::uint32_t silent = member.nts == nullptr ? kSilentAfter : 1;
    return member.association && member.liveness.misses() >= silent &&
           outage_.judge(*member.liveness.silent_since(), others_known(member), now) ==
               Silence::kWait;
  });
  if (!wanted) return;
  if (now < next_witness_) {
    // The one that was asked may be silent too, or its answer lost: then it is another one's turn.
    witness_due_ = next_witness_;
    return;
  }
  Member* witness = nullptr;
  for (Member& member : members_) {
    if (!askable(member) || !member.association->ever_answered()) continue;
    if (member.liveness.misses() > 0 || member.unsent > 0) continue;
    // Rather one that it costs no cookie.
    const auto cost = [](const Member& it) { return std::pair(it.nts != nullptr, it.called); };
    if (witness == nullptr || cost(member) < cost(*witness)) witness = &member;
  }
  if (witness == nullptr) return;
  next_witness_ = now + kWitnessInterval;
  witness->called = now;
  witness->association->ask_by(now, kWitnessSpacing);
}

// Each in turn, none more often than its shortest interval.
void Population::probe_in_outage(MonoTime now) {
  if (now < next_probe_) return;
  next_probe_ = now + kOutageProbe;
  Member* next = nullptr;
  for (Member& member : members_) {
    if (!askable(member) || member.nts != nullptr) continue;
    if (next == nullptr || member.called < next->called) next = &member;
  }
  if (next == nullptr) return;
  next->called = now;
  const Source* source = sources_.find(next->source);
  CHECK(source != nullptr);
  next->association->ask_by(now, exp2_seconds(source->config().poll.minpoll));
}

void Population::end_outage(MonoTime now) {
  for (Member& member : members_) {
    if (!member.association) continue;
    member.liveness.forgive();
    member.association->ask_by(now, kBackSpacing);
  }
  for (Source& source : sources_) source.forget_back_off(now);
}

// F5, F6, F7, F10.
std::uint32_t Population::patience_with(const Member& member) const {
  const Source* source = sources_.find(member.source);
  CHECK(source != nullptr);
  const SourceConfig& config = source->config();
  const std::uint32_t limit = member.association->ever_answered()
                                  ? config.server_failure_retry_limit
                                  : config.initial_failover_retry_limit;
  return misses_needed(limit, usual_loss(member));
}

bool Population::is_silent(const Member& member) const {
  const std::uint32_t limit = patience_with(member);
  return limit != 0 && member.liveness.misses() >= limit;
}

bool Population::is_dead(const Member& member, MonoTime now) const {
  return member.liveness.misses() > 0 && outage_.judge(*member.liveness.silent_since(),
                                                       others_known(member), now) == Silence::kDead;
}

bool Population::is_useless(const Member& member) const {
  return member.useless >= config_.bad_limit ||
         (member.association && member.association->unusable() >= config_.bad_limit);
}

Duration Population::replacements_rest(MonoTime now) const {
  if (!last_replacement_) return {};
  return std::max(*last_replacement_ + config_.replace_interval - now, Duration());
}

// F11: at a bounded rate, and only while enough others remain.
bool Population::may_replace_bad(MonoTime now, std::size_t others) const {
  const bool paced = last_replacement_ && now - *last_replacement_ < config_.replace_interval;
  return !paced && others > 0 && others >= config_.min_sources;
}

std::optional<Population::Loss> Population::loss_of(const Member& member, const Source& source,
                                                    MonoTime now, std::size_t survivors) const {
  const Association& association = *member.association;
  // B30: who denies us is left at once.
  if (association.denied()) return Loss{DropCause::kDenied, false};
  // Silence of an NTS server is ntp/recovery.h's.
  if (member.nts == nullptr && is_silent(member)) {
    switch (outage_.judge(*member.liveness.silent_since(), others_known(member), now)) {
      case Silence::kDead:
        return Loss{DropCause::kSilent, false};
      case Silence::kUnproven:
        if (source.may_leave_unproven(now)) return Loss{DropCause::kUnproven, false};
        break;
      case Silence::kWait:
        break;
    }
  }
  const std::uint32_t unsent_limit = association.ever_answered() ? kUnsentLimit : 1;
  const bool other_family = !outage_.on() && lacks_route(member.server().address, now);
  if (other_family && member.unsent >= unsent_limit) return Loss{DropCause::kNoRoute, true};
  const bool bad = source.config().kind == SourceKind::kPool && is_useless(member);
  if (bad && may_replace_bad(now, survivors)) return Loss{DropCause::kUseless, true};
  return std::nullopt;
}

void Population::replace_failed(MonoTime now, std::size_t survivors, Outbox& out) {
  std::vector<AssociationId> ids;
  for (const Member& member : members_) {
    if (member.association) ids.push_back(member.id);
  }
  for (const AssociationId id : ids) {
    const Member& member = *members_.find(id);
    Source* source = sources_.find(member.source);
    CHECK(source != nullptr);
    if (source->is_literal()) continue;  // F9
    const std::optional<Loss> loss = loss_of(member, *source, now, survivors);
    if (!loss) continue;
    const auto address = next_address(*source, &member, loss->needs_good, now);
    if (!address) {
      if (!outage_.on()) source->want_resolve(now);  // F3
      continue;
    }
    if (!replace(id, *address, loss->cause, now, out)) return;
    if (loss->cause == DropCause::kUseless) last_replacement_ = now;
  }
}

// B3: of two that depend on each other one makes room for an address that depends less.
void Population::replace_redundant(MonoTime now, std::size_t survivors, Outbox& out) {
  if (survivors == 0 || !may_replace_bad(now, survivors - 1)) return;
  std::vector<DiverseMember> all;
  std::vector<AssociationId> ids;
  for (const Member& member : members_) {
    if (!member.association) continue;
    const Source* source = sources_.find(member.source);
    CHECK(source != nullptr);
    const bool keep = source->config().kind != SourceKind::kPool || source->is_literal() ||
                      member.status == SourceStatus::kSelected || !member.measured().measurable() ||
                      member.association->requests() < config_.bad_limit;
    all.push_back({beside_of(member), keep});
    ids.push_back(member.id);
  }
  const std::optional<Redundant> redundant = most_redundant(all);
  if (!redundant) return;
  const Member& member = *members_.find(ids[redundant->index]);
  const Source& source = *sources_.find(member.source);
  const auto address = next_address(source, &member, true, now);
  if (!address) return;
  const Dependence then = source.addresses().dependence_of(*address, beside(&member));
  if (then >= redundant->dependence) return;
  if (replace(member.id, *address, DropCause::kRedundant, now, out)) last_replacement_ = now;
}

// Nobody can tell who is right: the member of a pool that agrees with the fewest makes room for
// another opinion.
void Population::replace_contested(MonoTime now, std::size_t survivors, Outbox& out) {
  std::vector<AssociationId> ids;
  std::vector<Estimate> estimates;
  bool all_decided = true;
  for (const Member& member : members_) {
    all_decided &= member.measured().decided() || member.unsent > 0;
    if (!member.measured().measurable()) continue;
    ids.push_back(member.id);
    estimates.push_back(member.measured().estimate(now));
  }
  if (survivors > 0 || !all_decided || ids.size() < 2) return no_majority_since_.reset();
  if (!no_majority_since_) no_majority_since_ = now;
  if (now - *no_majority_since_ < kMajorityWait) return;
  const Source* source = nullptr;
  AssociationId loneliest = 0;
  std::size_t fewest = ids.size() + 1;
  std::optional<IpAddress> address;
  for (std::size_t i = 0; i < ids.size(); ++i) {
    const Member& member = *members_.find(ids[i]);
    source = sources_.find(member.source);
    if (source == nullptr || source->config().kind != SourceKind::kPool) continue;
    std::size_t friends = 0;
    for (const Estimate& other : estimates) friends += overlap(estimates[i], other) ? 1U : 0U;
    // Whoever agrees with a majority is not what hinders one.
    if (friends > fewest || 2 * friends > ids.size()) continue;
    const auto found = next_address(*source, &member, true, now);
    if (!found) continue;
    fewest = friends;
    loneliest = member.id;
    address = found;
  }
  if (!address) return;
  if (!replace(loneliest, *address, DropCause::kContested, now, out)) return;
  no_majority_since_ = now + kContestInterval - kMajorityWait;
}

bool Population::replace(AssociationId id, const IpAddress& address, DropCause cause, MonoTime now,
                         Outbox& out) {
  if (out.closes.full()) return false;  // the rest at the next call
  const Member& old = *members_.find(id);
  Source* source = sources_.find(old.source);
  CHECK(source != nullptr);
  // First it must have keys, and prove itself.
  if (old.nts != nullptr) return want_beside(old, *source, address, cause);
  out.event({EventKind::kReplaced, id, old.server(), old.last_reason()});
  source->drop(old.origin, now, cause);
  end(id);
  flush_closes(out);
  start_association(*source, address, now);
  return true;
}

}  // namespace timepool::ntp
