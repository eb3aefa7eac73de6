#include "ntp/population.h"

#include <algorithm>
#include <utility>
#include <vector>

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

}  // namespace

Population::Population(const PopulationConfig& config, AuthenticatorFactory factory)
    : config_(config), factory_(std::move(factory)) {}

bool Population::add(const SourceConfig& config, MonoTime now) {
  if (sources_.full() || !within_limits(config)) return false;
  sources_.add(config, now);
  fill_due_ = std::min(fill_due_, now);
  return true;
}

void Population::handle_addresses(SourceId id, std::span<const IpAddress> addresses, MonoTime now) {
  Source* source = sources_.find(id);
  if (source == nullptr) return;
  source->handle_addresses(now, addresses);
  fill_due_ = std::min(fill_due_, now);
}

MonoTime Population::next_deadline() const {
  MonoTime out = fill_due_;
  for (const Source& source : sources_) out = std::min(out, source.next_resolve());
  return out;
}

void Population::grow(MonoTime now, Outbox& out) {
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
  while (members_.count_of(source.id()) < source.wanted() && !members_.full()) {
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
bool Population::start_association(Source& source, const IpAddress& address, MonoTime now) {
  AssociationConfig config;
  config.server = {address, source.config().port, 0};
  const IpAddress copy = address;
  source.use(copy);
  if (members_.uses(config.server)) {
    source.drop(copy, now);
    return false;
  }
  config.poll = source.config().poll;
  config.exchange = config_.exchange;
  config.exchange.version = source.config().version;
  config.exchange.interleaved = source.config().interleaved;
  std::unique_ptr<Authenticator> authenticator =
      factory_ ? factory_(source) : std::make_unique<NoAuthentication>();
  members_.add({source.id(),
                std::make_unique<Association>(next_id_++, config, std::move(authenticator), now)});
  return true;
}

// F5, F6, F7; B30: who denies us is left at once.
bool Population::has_failed(const Member& member, const SourceConfig& config) const {
  const Association& association = *member.association;
  if (association.denied()) return true;
  const std::uint32_t limit = association.ever_answered() ? config.server_failure_retry_limit
                                                          : config.initial_failover_retry_limit;
  return limit != 0 && association.unanswered() >= limit;
}

// F11: it answers, but its time is of no use.
bool Population::is_bad(const Member& member, const SourceConfig& config) const {
  return config.kind == SourceKind::kPool && (member.samples_as_falseticker >= config_.bad_limit ||
                                              member.association->unusable() >= config_.bad_limit);
}

// F11: at a bounded rate, and only while enough others remain.
bool Population::may_replace_bad(MonoTime now, std::size_t survivors) const {
  const bool paced = last_replacement_ && now - *last_replacement_ < config_.replace_interval;
  return !paced && survivors > 0 && survivors >= config_.min_sources;
}

void Population::replace_failed(MonoTime now, std::size_t survivors, Outbox& out) {
  std::vector<AssociationId> ids;
  for (const Member& member : members_) {
    if (member.association != nullptr) ids.push_back(member.id);
  }
  for (const AssociationId id : ids) {
    const Member& member = *members_.find(id);
    Source* source = sources_.find(member.source);
    CHECK(source != nullptr);
    if (source->is_literal()) continue;  // F9
    const bool failed = has_failed(member, source->config());
    const bool bad = is_bad(member, source->config()) && may_replace_bad(now, survivors);
    if (!failed && !bad) continue;
    const IpAddress* address = failed ? source->next_address() : source->next_unused_address();
    if (address == nullptr) {
      source->want_resolve(now);  // F3
      continue;
    }
    if (!replace(id, *source, *address, now, out)) return;
    if (!failed) last_replacement_ = now;
  }
}

bool Population::replace(AssociationId id, Source& source, const IpAddress& address, MonoTime now,
                         Outbox& out) {
  const IpAddress next = address;
  if (!out.closes.push_back(id)) return false;  // the rest at the next call
  const Association& old = *members_.find(id)->association;
  out.event({EventKind::kReplaced, id, old.server(), old.last_reason()});
  source.drop(old.server().address, now);
  members_.remove(id);
  if (!start_association(source, next, now)) fill_due_ = std::min(fill_due_, now);
  return true;
}

}  // namespace timepool::ntp
