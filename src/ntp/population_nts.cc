// The part of the Population that deals with Network Time Security: which key establishments are
// wanted, what becomes of their results, and the climbing of the ladder of ntp/recovery.h.
//
// A server that is to take another's place gets an association beside it, and takes it with its
// first authenticated time. Until then the old one is asked on.
#include <algorithm>
#include <tuple>
#include <utility>
#include <vector>

#include "base/check.h"
#include "ntp/population.h"

namespace timepool::ntp {
namespace {

// One beside another that has not answered so many requests is given up.
constexpr std::uint32_t kBesidePatience = 4;
// A probe never comes sooner after a request, nor sooner than a quarter of the shortest interval.
constexpr Duration kLeastProbeSpacing = Duration::seconds(16);
constexpr double kProbeSpread = 0.25;

// Each association's lifetime of keys is a quarter longer or shorter, by its number.
Duration lifetime_of(const Member& member, Duration lifetime) {
  return lifetime / 32 * (24 + static_cast<std::int64_t>(member.id * std::uint64_t{7} % 16));
}

}  // namespace

nts::KeyServer Population::key_server(const Source& source, const IpAddress& address) {
  return {source.config().name, source.config().nts.port, address};
}

void Population::want_keys(const Source& source, const IpAddress& address) {
  EstablishmentWish wish;
  wish.source = source.id();
  wish.with = key_server(source, address);
  static_cast<void>(establishments_.want(wish));
}

// As fill(): but first keys are needed, unless an earlier run left some.
void Population::fill_with_keys(Source& source, MonoTime now) {
  if (aeads_ == nullptr) return;
  const auto filled = [&] {
    return members_.count_of(source.id()) + establishments_.new_of(source.id());
  };
  while (filled() < source.wanted() && !members_.full()) {
    if (resume_session(source, now)) continue;
    const std::optional<IpAddress> address = next_address(source, nullptr, false, now);
    if (!address) return source.want_resolve(now);
    // Until the rule allows it, a look-up may bring a better one.
    const MonoTime allowed = establishments_.allowed(key_server(source, *address));
    if (allowed > now && !source.is_literal()) {
      fill_due_ = std::min(fill_due_, allowed);
      return source.want_resolve(now);
    }
    const std::size_t before = filled();
    source.use(*address, now);
    want_keys(source, *address);
    if (filled() == before) return;
  }
}

bool Population::has_session(std::string_view name, std::uint16_t port) const {
  return std::any_of(
      saved_sessions_.begin(), saved_sessions_.end(),
      [&](const nts::SavedSession& it) { return it.from.name == name && it.from.port == port; });
}

bool Population::resume_session(Source& source, MonoTime now) {
  const SourceConfig& config = source.config();
  const auto found = std::find_if(
      saved_sessions_.begin(), saved_sessions_.end(), [&](const nts::SavedSession& it) {
        const bool literal =
            source.is_literal() && parse_ip(config.name).value() != it.from.address;
        return it.from.name == config.name && it.from.port == config.nts.port && !literal &&
               !source.uses(it.from.address);
      });
  if (found == saved_sessions_.end()) return false;
  const nts::SavedSession saved = std::move(*found);
  saved_sessions_.erase(found);
  const bool offered = std::find(config.nts.aeads.begin(), config.nts.aeads.end(),
                                 saved.keys.keys.aead) != config.nts.aeads.end();
  const bool usable =
      offered && may_serve(source, saved.server) && !fault_of(saved.server, config.family, own_);
  if (usable) {
    source.remember(saved.from.address);
    source.use(saved.from.address, now);
    source.handle_keys();
    // A clock that was set since makes the age wrong, but not negative.
    const Duration age = std::max(clock_ - saved.established, Duration());
    EstablishmentResult result;
    result.keys = saved.keys;
    result.server = saved.server;
    result.certificate = saved.certificate;
    Member& member = start_session(source, saved.from.address, result, clock_read_ - age, now);
    member.nts->set_written(nts::kMaxCookies);
  }
  return true;
}

Member& Population::start_session(Source& source, const IpAddress& address,
                                  const EstablishmentResult& result, MonoTime established,
                                  MonoTime now) {
  auto made = std::make_unique<NtsAuthenticator>(*aeads_, result.keys);
  NtsAuthenticator* nts = made.get();
  Member& member = start_association(source, result.server, std::move(made), now);
  member.nts = nts;
  member.origin = address;
  member.established = established;
  member.certificate = result.certificate;
  return member;
}

// Nobody asks it yet, and it is no address of ours.
bool Population::may_serve(const Source& source, const Endpoint& server) const {
  return !members_.full() && !members_.uses(server) &&
         !fault_of(server, source.config().family, own_);
}

bool Population::want_beside(const Member& member, Source& source, const IpAddress& address,
                             DropCause cause) {
  if (establishments_.wants_for(member.id) || members_.has_beside(member.id)) return true;
  EstablishmentWish wish;
  wish.source = source.id();
  wish.with = key_server(source, address);
  wish.member = member.id;
  wish.takes_place = cause;
  if (!establishments_.want(wish)) return false;
  source.use(address, source.last_resolve());
  return true;
}

void Population::handle_establishment(EstablishmentId id, const EstablishmentResult& result,
                                      MonoTime now) {
  recovery_due_ = std::min(recovery_due_, now);
  ++session_changes_;
  const std::optional<EstablishmentWish> wish = establishments_.finish(id, result, now);
  if (!wish) return;
  Source* source = sources_.find(wish->source);
  CHECK(source != nullptr);  // its wishes end with it
  source->handle_keys();
  // What was not sent says nothing of the server.
  if (!result.unsent) source->count_keys(result.established);
  if (result.established) {
    handle_keys(*source, *wish, result, now);
  } else {
    handle_no_keys(*source, *wish, now);
  }
}

void Population::handle_no_keys(Source& source, const EstablishmentWish& wish, MonoTime now) {
  const IpAddress& address = wish.with.address;
  fill_due_ = std::min(fill_due_, now);
  if (wish.member != 0) {
    // The old keys, and the old server, are what there is.
    if (wish.takes_place != DropCause::kNone) source.drop(address, now, DropCause::kSilent);
    return;
  }
  if (!source.is_literal()) return source.drop(address, now, DropCause::kSilent);
  want_keys(source, address);
}

void Population::handle_keys(Source& source, const EstablishmentWish& wish,
                             const EstablishmentResult& result, MonoTime now) {
  Member* member = wish.member == 0 ? nullptr : members_.find(wish.member);
  const bool beside = wish.takes_place != DropCause::kNone;
  if (member != nullptr && member->server() == result.server) {
    // Also where another address of the name gives keys for the same server.
    if (beside) {
      source.drop(member->origin, now, DropCause::kSurplus);
      member->origin = wish.with.address;
    }
    return renew(*member, result, now);
  }
  const bool wanted = member != nullptr || (members_.count_of(source.id()) < source.wanted() &&
                                            (beside || wish.member == 0));
  if (!wanted || !may_serve(source, result.server)) {
    if (beside || wish.member == 0) {
      if (source.is_literal()) return want_keys(source, wish.with.address);
      source.drop(wish.with.address, now, DropCause::kUseless);
    }
    return;
  }
  // A renewal that names another server: that one beside it, by the same address.
  Member& made = start_session(source, wish.with.address, result, now, now);
  if (member == nullptr) return;
  made.beside = wish.member;
  made.takes_place = beside ? wish.takes_place : DropCause::kSilent;
}

void Population::renew(Member& member, const EstablishmentResult& result, MonoTime now) {
  member.nts->renew(result.keys);
  member.established = now;
  member.certificate = result.certificate;
  // Whether they work is to be known soon.
  member.association->ask_by(now, kLeastProbeSpacing);
}

void Population::recover(MonoTime now, RandomStream& random, Outbox& out) {
  recovery_due_ = MonoTime::max();
  for (const EstablishmentWish& lost : establishments_.take_lost(now)) {
    Source* source = sources_.find(lost.source);
    if (source != nullptr) handle_no_keys(*source, lost, now);
  }
  settle_beside(now, out);
  for (Member& member : members_) {
    if (member.nts != nullptr && member.beside == 0 && member.association->online()) {
      recover(member, now, random);
    }
  }
  if (!outage_.on() || outage_.resolved_since()) establishments_.begin(now, random, out);
  flush_closes(out);
}

// Who takes a place, and who is given up.
void Population::settle_beside(MonoTime now, Outbox& out) {
  std::vector<AssociationId> ids;
  for (const Member& member : members_) {
    if (member.beside != 0) ids.push_back(member.id);
  }
  for (const AssociationId id : ids) {
    Member& member = *members_.find(id);
    const Member* old = members_.find(member.beside);
    if (old == nullptr) {
      member.beside = 0;
    } else if (member.proved) {
      take_place(id, now, out);
    } else if (member.takes_place == DropCause::kSilent && old->liveness.misses() == 0) {
      drop_beside(id, DropCause::kSurplus, now);
    } else if (member.association->denied() || member.liveness.misses() >= kBesidePatience) {
      drop_beside(id, DropCause::kSilent, now);
    }
  }
}

void Population::take_place(AssociationId id, MonoTime now, Outbox& out) {
  Member& member = *members_.find(id);
  const Member& old = *members_.find(member.beside);
  Source* source = sources_.find(old.source);
  CHECK(source != nullptr);
  out.event({EventKind::kReplaced, old.id, old.server(), old.last_reason()});
  if (old.origin != member.origin) source->drop(old.origin, now, member.takes_place);
  const AssociationId gone = std::exchange(member.beside, 0);
  end(gone);
}

void Population::drop_beside(AssociationId id, DropCause cause, MonoTime now) {
  const Member& member = *members_.find(id);
  const Member* old = members_.find(member.beside);
  Source* source = sources_.find(member.source);
  CHECK(source != nullptr);
  const bool same = old != nullptr && old->origin == member.origin;
  if (!same) source->drop(member.origin, now, cause);
  end(id);
}

RecoveryView Population::view_of(const Member& member, const Source& source,
                                 const std::optional<IpAddress>& other, MonoTime now) const {
  RecoveryView out;
  out.misses = member.liveness.misses();
  out.naks = member.nts->naks();
  out.cookies = member.nts->cookies();
  out.outage = outage_.on();
  out.literal = source.is_literal();
  out.has_other = other.has_value();
  out.old_keys = now - member.established >= lifetime_of(member, config_.key_lifetime);
  out.unlisted = other && source.config().kind == SourceKind::kServer &&
                 source.addresses().unlisted(member.origin) >= kUnlistedToMove;
  if (other) {
    out.other_first = establishments_.allowed(key_server(source, *other)) <=
                      std::max(now, establishments_.allowed(key_server(source, member.origin)));
  }
  if (out.misses == 0) return out;
  const MonoTime since = *member.liveness.silent_since();
  out.silence = outage_.judge(since, others_known(member), now);
  out.looked_up = source.resolved_at() && *source.resolved_at() > since;
  out.look_up_failed = !out.looked_up && source.unresolved_at() && *source.unresolved_at() > since;
  out.fresh_keys = member.established > since;
  return out;
}

// Otherwise it is thought over again when the retry rule allows it: what is known may be other
// then.
bool Population::may_establish(const nts::KeyServer& server, MonoTime now) {
  const MonoTime allowed = establishments_.allowed(server);
  if (allowed > now) recovery_due_ = std::min(recovery_due_, allowed);
  return allowed <= now;
}

void Population::recover(Member& member, MonoTime now, RandomStream& random) {
  Source* source = sources_.find(member.source);
  CHECK(source != nullptr);
  if (establishments_.wants_for(member.id) || members_.has_beside(member.id)) return;
  // The answer may bring cookies.
  if (member.association->waiting() && member.nts->cookies() == 0) return;
  const std::optional<IpAddress> other = next_address(*source, &member, false, now);
  const RecoveryView view = view_of(member, *source, other, now);
  // RFC 8915 5.7: one cookie at least is left for when there is hope again.
  const bool hope = view.looked_up || view.literal || view.misses == 0;
  member.nts->set_reserve(hope ? 0 : 1);
  if (view.misses > kRecoveryProbes && !view.outage) source->want_resolve(now);
  const Duration minpoll = exp2_seconds(source->config().poll.minpoll);
  switch (next_step(view)) {
    case RecoveryStep::kNone:
      break;
    case RecoveryStep::kProbe: {
      if (member.probed == view.misses) break;
      member.probed = view.misses;
      const double factor = 1 + kProbeSpread * (2 * random.unit() - 1);
      const Duration after =
          Duration::from_seconds(recovery_probe_after(view.misses).to_seconds() * factor);
      member.association->ask_by(now + after, std::min(minpoll / 4, kLeastProbeSpacing));
      break;
    }
    case RecoveryStep::kSpaced:
      member.association->ask_by(now, minpoll);
      break;
    case RecoveryStep::kLookUp:
      source->want_resolve(now);
      break;
    case RecoveryStep::kEstablishHere: {
      EstablishmentWish wish;
      wish.source = source->id();
      wish.with = key_server(*source, member.origin);
      wish.member = member.id;
      wish.not_before = now;
      if (!may_establish(wish.with, now)) break;
      if (view.naks >= kNaksToRenew) {
        wish.not_before = now + Duration::from_seconds(kNakJitter.to_seconds() * random.unit());
      }
      static_cast<void>(establishments_.want(wish));
      break;
    }
    case RecoveryStep::kEstablishElsewhere:
      if (!may_establish(key_server(*source, *other), now)) break;
      want_beside(member, *source, *other,
                  view.misses == 0 ? DropCause::kSurplus : DropCause::kSilent);
      break;
  }
}

}  // namespace timepool::ntp
