#include "ntp/population.h"

#include <algorithm>
#include <tuple>
#include <utility>

#include "base/check.h"

namespace timepool::ntp {
namespace {

// A family without a route is tried again after this long.
constexpr Duration kRouteForgotten = Duration::seconds(600);
// Interfaces that flap are reacted to this often at most.
constexpr Duration kChangeInterval = Duration::seconds(10);
// After a change in the network each member that is silent is asked once, this soon.
constexpr Duration kChangeSpacing = Duration::seconds(2);

// What can't be sent is no load on anybody: it is tried after 16 s, doubling to 256 s.
constexpr Duration kUnsentRetry = Duration::seconds(16);

}  // namespace

Population::Population(const PopulationConfig& config, AuthenticatorFactory factory)
    : config_(config), factory_(std::move(factory)) {}

Result<SourceId, ChangeError> Population::add(const SourceConfig& config, MonoTime now) {
  if (!broken_limit(config).empty()) return fail(ChangeError::kLimits);
  for (const Source& source : sources_) {
    if (same_source(source.config(), config)) return fail(ChangeError::kTwice);
  }
  const bool full = config.pool == kNoSource ? sources_.full() : sources_.full_of_pools();
  if (full) return fail(ChangeError::kTooMany);
  fill_due_ = std::min(fill_due_, now);
  return sources_.add(config, now);
}

Result<void, ChangeError> Population::change(SourceId id, const SourceConfig& config,
                                             MonoTime now) {
  Source* source = sources_.find(id);
  if (source == nullptr) return fail(ChangeError::kNotThere);
  if (!broken_limit(config).empty()) return fail(ChangeError::kLimits);
  if (!same_source(source->config(), config)) return fail(ChangeError::kOther);
  const bool polls = source->config().poll != config.poll;
  source->change(config, now);
  for (Member& member : members_) {
    if (member.source == id && polls) member.association->change(config.poll);
  }
  trim(*source, now);
  fill_due_ = std::min(fill_due_, now);
  return {};
}

Result<void, ChangeError> Population::remove(SourceId id, MonoTime now) {
  if (sources_.find(id) == nullptr) return fail(ChangeError::kNotThere);
  std::vector<AssociationId> ends;
  for (const Member& member : members_) {
    if (member.source == id) ends.push_back(member.id);
  }
  for (const AssociationId member : ends) end(member);
  establishments_.forget(id);
  sources_.remove(id);
  // An address that it had may be of use to another.
  fill_due_ = std::min(fill_due_, now);
  return {};
}

// Fewer addresses are wanted, or others: those of no use now go first.
void Population::trim(Source& source, MonoTime now) {
  const auto of_the_family = [&](const Member& member) {
    return !fault_of(member.association->server(), source.config().family, {});
  };
  for (std::size_t i = members_.size(); i-- > 0;) {
    if (members_[i].source != source.id() || source.is_literal()) continue;
    if (of_the_family(members_[i])) continue;
    source.drop(members_[i].origin, now, DropCause::kSurplus);
    end(members_[i].id);
  }
  while (members_.count_of(source.id()) > source.wanted()) {
    const Member* worst = nullptr;
    const auto worth = [](const Member& member) {
      return std::tuple(
          member.status != SourceStatus::kUnusable && member.status != SourceStatus::kFalseticker,
          member.status == SourceStatus::kSelected, member.measured().reach());
    };
    for (const Member& member : members_) {
      if (member.source != source.id() || member.beside != 0) continue;
      if (worst == nullptr || worth(member) <= worth(*worst)) worst = &member;
    }
    source.drop(worst->origin, now, DropCause::kSurplus);
    end(worst->id);
  }
}

SampleWindow Population::identity_of(const Member& member) {
  SampleWindow out;
  if (member.is_refclock()) {
    out.refclock = member.refclock->config().name;
  } else {
    out.server = {member.server().address, member.server().port, 0};
    out.authenticated = member.authenticated();
  }
  return out;
}

void Population::end(AssociationId id) {
  const Member* member = members_.find(id);
  if (member != nullptr && member->nts != nullptr) ++session_changes_;
  members_.remove(id);
  closes_.push_back(id);
}

void Population::flush_closes(Outbox& out) {
  while (!closes_.empty() && out.closes.push_back(closes_.back())) closes_.pop_back();
}

std::optional<AssociationId> Population::add_refclock(const RefclockConfig& config, MonoTime now) {
  std::size_t count = 0;
  for (const Member& member : members_) {
    if (!member.is_refclock()) continue;
    ++count;
    if (member.refclock->config().name == config.name) return std::nullopt;
  }
  if (count >= kMaxRefclocks || members_.full() || !within_limits(config)) return std::nullopt;
  members_.add({next_id_, std::make_unique<Refclock>(config, config_.exchange, now)});
  resume(members_[members_.size() - 1]);
  return next_id_++;
}

void Population::handle_addresses(SourceId id, std::span<const IpAddress> addresses, MonoTime now) {
  Source* source = sources_.find(id);
  if (source == nullptr) return;
  source->handle_addresses(now, addresses, own_);
  if (!addresses.empty()) outage_.resolved(now);
  if (source->config().nts.required) recovery_due_ = std::min(recovery_due_, now);
  fill_due_ = std::min(fill_due_, now);
}

void Population::handle_gone(SourceId id, MonoTime now) {
  Source* source = sources_.find(id);
  if (source == nullptr) return;
  source->handle_gone(now);
  recovery_due_ = std::min(recovery_due_, now);
}

void Population::handle_send_failure(AssociationId id, MonoTime now) {
  Member* member = members_.find(id);
  if (member == nullptr || member->association == nullptr) return;
  const Duration retry = kUnsentRetry * (std::int64_t{1} << std::min(member->unsent, 4U));
  member->association->handle_send_failure(now + retry);
  ++member->unsent;
  (member->server().address.is_v4() ? no_route_v4_ : no_route_v6_) = now;
}

bool Population::lacks_route(const IpAddress& address, MonoTime now) const {
  const std::optional<MonoTime>& since = address.is_v4() ? no_route_v4_ : no_route_v6_;
  return since && now - *since < kRouteForgotten;
}

void Population::handle_sent(AssociationId id, const TransmitStamp& stamp) {
  Member* member = members_.find(id);
  if (member == nullptr || member->association == nullptr) return;
  member->association->handle_transmit_timestamp(stamp);
  member->unsent = 0;
  (member->server().address.is_v4() ? no_route_v4_ : no_route_v6_).reset();
  if (outage_.sent()) tell_outage_over_ = true;
}

void Population::handle_network_change(MonoTime now) {
  if (last_change_ && now - *last_change_ < kChangeInterval) {
    change_due_ = *last_change_ + kChangeInterval;
    return;
  }
  last_change_ = now;
  change_due_ = MonoTime::max();
  no_route_v4_.reset();
  no_route_v6_.reset();
  for (Member& member : members_) {
    if (member.association == nullptr) continue;
    if (member.liveness.misses() == 0 && member.unsent == 0) continue;
    // One server that is silent while others answer has little to do with routes.
    const bool network = outage_.on() || member.unsent > 0;
    const Source* source = sources_.find(member.source);
    CHECK(source != nullptr);
    const Duration interval = exp2_seconds(source->config().poll.minpoll);
    member.unsent = 0;
    member.association->ask_by(now, network ? kChangeSpacing : interval);
    if (member.nts == nullptr) continue;
    // It may have moved while the network was away, and the last cookie is for this moment.
    member.nts->set_reserve(0);
    sources_.find(member.source)->want_resolve(now);
  }
  for (Source& source : sources_) source.forget_back_off(now);
  fill_due_ = std::min(fill_due_, now);
}

MonoTime Population::next_deadline() const {
  MonoTime out = std::min({fill_due_, change_due_, recovery_due_});
  out = std::min(out, outage_.on() ? next_probe_ : witness_due_);
  if (!closes_.empty()) return MonoTime();
  if (!outage_.on() || outage_.resolved_since()) out = std::min(out, establishments_.next());
  for (const Source& source : sources_) out = std::min(out, source.next_resolve());
  return out;
}

void Population::grow(MonoTime now, Outbox& out) {
  flush_closes(out);
  if (now >= change_due_) handle_network_change(now);
  resolve(now, out);
  if (now < fill_due_) return;
  fill_due_ = MonoTime::max();
  for (Source& source : sources_) fill(source, now);
}

void Population::resolve(MonoTime now, Outbox& out) {
  for (Source& source : sources_) {
    if (now < source.next_resolve() || out.resolves.full()) continue;
    source.resolving(now);
    CHECK(out.resolves.push_back(source.id()));
  }
}

// F2: as many associations as the source wants, as far as there are addresses.
void Population::fill(Source& source, MonoTime now) {
  if (source.listens() || source.finds_services()) return;
  if (source.config().nts.required) return fill_with_keys(source, now);
  while (members_.count_of(source.id()) < source.wanted() && !members_.full()) {
    const std::optional<IpAddress> address = next_address(source, nullptr, false, now);
    if (!address) {
      source.want_resolve(now);
      return;
    }
    start_association(source, *address, now);
  }
}

ServerIdentity Population::beside_of(const Member& member) {
  const Association& association = *member.association;
  ServerIdentity out;
  out.address = association.server().address;
  out.answered = association.has_samples();
  if (!out.answered) return out;
  const Sample& sample = association.latest();
  out.stratum = sample.stratum;
  out.reference_id = sample.reference_id;
  out.reference_time = sample.reference_time;
  return out;
}

std::vector<ServerIdentity> Population::beside(const Member* without) const {
  std::vector<ServerIdentity> out;
  for (const Member& member : members_) {
    if (&member != without && member.association) out.push_back(beside_of(member));
  }
  return out;
}

std::optional<IpAddress> Population::next_address(const Source& source, const Member* instead_of,
                                                  bool only_good, MonoTime now) const {
  std::vector<Endpoint> taken;
  for (const Member& member : members_) {
    if (member.association) taken.push_back(member.server());
  }
  // LC3: servers of one pool have different addresses.
  if (source.config().pool != kNoSource) {
    for (const Source& other : sources_) {
      if (other.config().pool != source.config().pool || other.id() == source.id()) continue;
      for (const AddressRecord& record : other.addresses().records()) {
        if (record.state != AddressRecord::State::kInUse) continue;
        taken.push_back({record.address, source.config().port, 0});
      }
    }
  }
  const std::vector<ServerIdentity> others = beside(instead_of);
  AddressWish wish;
  wish.now = now;
  wish.taken = taken;
  wish.beside = others;
  wish.route_v4 = !lacks_route(IpAddress::any(IpFamily::kV4), now);
  wish.route_v6 = !lacks_route(IpAddress::any(IpFamily::kV6), now);
  wish.only_good = only_good;
  return source.next_address(wish);
}

void Population::start_association(Source& source, const IpAddress& address, MonoTime now) {
  start_association(source, {address, source.config().port, 0}, now, now);
}

void Population::start_association(Source& source, const Endpoint& server, MonoTime first,
                                   MonoTime now) {
  source.use(server.address, now);
  start_association(
      source, server,
      factory_ ? factory_(source, server.address) : std::make_unique<NoAuthentication>(), first);
}

Member& Population::start_association(Source& source, const Endpoint& server,
                                      std::unique_ptr<Authenticator> authenticator,
                                      MonoTime first) {
  AssociationConfig config;
  config.server = server;
  // Each probe costs a cookie: when there are some, ntp/recovery.h says.
  config.probes = !source.config().nts.required;
  if (source.config().kind == SourceKind::kPeer) {
    config.mode = TalkMode::kSymmetric;
    config.own = own_clock_;
  } else if (source.listens()) {
    config.mode = TalkMode::kBroadcast;
    config.own = own_clock_;
    config.way = source.config().broadcast.way;
  }
  config.poll = source.config().poll;
  config.exchange = config_.exchange;
  config.exchange.version = source.config().version;
  config.exchange.interleaved = source.config().interleaved;
  config.exchange.max_delay = source.config().max_delay;
  config.filter = source.config().filter;
  config.min_samples = source.config().min_samples;
  config.max_samples = source.config().max_samples;
  members_.add({source.id(), std::make_unique<Association>(next_id_++, config,
                                                           std::move(authenticator), first)});
  Member& member = members_[members_.size() - 1];
  member.origin = server.address;
  member.late = source.late();
  resume(member);
  return member;
}

void Population::set_saved(std::vector<SampleWindow> windows) {
  saved_ = std::move(windows);
  for (Member& member : members_) {
    const bool measures =
        member.association ? member.association->has_samples() : member.refclock->has_samples();
    if (!measures) resume(member);
  }
}

void Population::resume(Member& member) {
  const SampleWindow wanted = identity_of(member);
  const auto found = std::find_if(saved_.begin(), saved_.end(), [&](const SampleWindow& it) {
    return same_identity(it, wanted);
  });
  if (found == saved_.end()) return;
  if (member.association) {
    member.association->resume(std::move(found->samples));
  } else {
    member.refclock->resume(std::move(found->samples));
  }
  saved_.erase(found);
}

std::vector<SampleWindow> Population::windows() const {
  std::vector<SampleWindow> out;
  for (const Member& member : members_) {
    SampleWindow window = identity_of(member);
    window.samples = member.association ? member.association->window() : member.refclock->window();
    if (!window.samples.empty()) out.push_back(std::move(window));
  }
  out.insert(out.end(), saved_.begin(), saved_.end());
  return out;
}

void Population::observe(Member& member, MonoTime now) {
  member.liveness.observe(member.association->unanswered(), now);
}

void Population::answered(Member& member, bool usable, MonoTime now, Outbox& out) {
  if (outage_.answered(now)) {
    end_outage(now);
    out.event({EventKind::kOutageOver, member.id, member.server(), member.last_reason()});
  }
  for (Member& other : members_) other.liveness.heard_another();
  member.liveness.answered(member.association->unanswered());
  Source* source = sources_.find(member.source);
  if (source == nullptr) return;
  if (member.nts != nullptr) {
    establishments_.authenticated(key_server(*source, member.origin), now);
    member.proved = member.proved || usable;
    member.probed = 0;
    recovery_due_ = std::min(recovery_due_, now);
  }
  if (!usable) return;
  ServerIdentity identity = beside_of(member);
  identity.address = member.origin;
  source->answered(identity, now);
}

}  // namespace timepool::ntp
