#include "sim/client_actor.h"

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "sim/distribution.h"

namespace timepool::sim {
namespace {

// From the decision to send until the packet leaves, and for a look-up.
constexpr Duration kSendLatency = Duration::microseconds(20);
constexpr Duration kLookupLatency = Duration::milliseconds(15);

// How far from true time the signatures of a zone hold.
constexpr Duration kSignaturesHold = Duration::seconds(7 * 86'400);
// As ntpd/time_client_services.cc.
constexpr std::size_t kLeastQuorum = 3;

// Its build date, where the scenario has none: hours before the world begins, so that whoever
// drives the clock below it is seen.
constexpr Duration kBuiltBefore = Duration::seconds(86'400);

ClientConfig with_floor(ClientConfig config, const World& world) {
  if (config.rules.floor == UnixTime()) config.rules.floor = world.start() - kBuiltBefore;
  if (config.last_good) config.rules.last_good = world.start() + *config.last_good;
  return config;
}

}  // namespace

// As ntpd/time_client.cc makes it of a daemon's settings.
ntp::TimekeeperConfig keeper_config(const ClientConfig& config) {
  ntp::TimekeeperConfig out;
  out.sources.min_sources = config.min_sources;
  out.sources.selection.max_stratum = config.max_stratum;
  out.sources.selection.auth = config.auth_selection;
  out.sources.exchange.clock_error_ppb = config.clock_error_ppb;
  out.sources.exchange.max_clock_error_ppb = config.max_clock_error_ppb;
  out.sources.replace_interval = config.replace_interval;
  out.sources.exchange.earliest = config.rules.floor;
  out.discipline.rules = config.rules;
  out.sources.selection.unchecked_quorum = config.unchecked_quorum;
  out.certificates = {config.unchecked_updates,
                      std::max(config.rules.floor, config.rules.last_good)};
  out.leap = {config.leap.mode, config.leap.sources_smear};
  return out;
}

namespace {

// Replies that nobody could forge: no bytes are added for it.
class Proven final : public ntp::Authenticator {
 public:
  bool protect(ByteWriter&, ntp::RandomStream&) override { return true; }
  ntp::AuthVerdict check(const wire::ntp::Packet&, Bytes) override {
    return ntp::AuthVerdict::kAuthentic;
  }
  bool authenticates() const override { return true; }
};

std::unique_ptr<ntp::Authenticator> authenticator_of(const ntp::Source& source, const IpAddress&) {
  if (source.config().authenticated) return std::make_unique<Proven>();
  return std::make_unique<ntp::NoAuthentication>();
}

}  // namespace

ClientActor::ClientActor(World& world, Network& network, const FakeDns& dns, KeyHosts& keys,
                         const ClientConfig& config)
    : world_(world),
      network_(network),
      dns_(dns),
      keys_(keys),
      config_(with_floor(config, world)),
      clock_(config.clock, world.start(), MonoTime::from_ns(987'654'321), world.random("clock")),
      prng_(world.random("client")),
      random_({prng_.next(), prng_.next()}),
      control_(world, clock_, config.steer),
      address_(IpAddress::v4(0xc6336401)),
      upset_prng_(world.random("upsets")) {
  network.attach(address_, *this);
  begin(keeper_config(config_));
}

void ClientActor::begin(const ntp::TimekeeperConfig& config) {
  keeper_.emplace(config, control_, local_now(), authenticator_of);
  keeper_->sources().set_own_identity({{address_}, {}});
  keeper_->sources().set_aeads(aeads_);
}

void ClientActor::add(const ntp::SourceConfig& source) {
  CHECK(keeper_->sources().add(source, local_now().mono).ok());
}

Duration ClientActor::true_raw_offset() {
  return world_.utc() - keeper_->local_clock().local(local_now().mono).raw;
}

void ClientActor::add(const RefclockActorConfig& clock) {
  const auto id = keeper_->sources().add_refclock(clock.settings(), local_now().mono);
  CHECK(id.has_value());
  refclocks_.push_back(std::make_unique<RefclockActor>(
      world_, clock, [this] { return local_now().system; },
      [this, id = *id](const ntp::RefclockReading& reading) { take(id, reading); }));
}

void ClientActor::take(ntp::AssociationId id, const ntp::RefclockReading& reading) {
  ntp::Outbox out;
  const ntp::RefclockReason reason =
      keeper_->handle_refclock(id, ntp::RefclockReason::kAccepted, reading, local_now(), out);
  world_.trace().add(world_.now(), ntp::name_of(reason), id);
  act(out);
}

void ClientActor::command(const SourceChange& change, MonoTime now) {
  const ntp::SourceMatch match(change.source.name);
  ntp::SourceSet& sources = keeper_->sources();
  const std::size_t count =
      change.action == SourceChange::Action::kBurst
          ? sources.begin_burst(match, {}, now)
          : sources.set_online(match, change.action == SourceChange::Action::kOnline, now);
  world_.trace().add(world_.now(), "command", count);
}

void ClientActor::carry_out(const SourceChange& change) {
  const MonoTime now = local_now().mono;
  if (change.action == SourceChange::Action::kAdd) {
    add(change.source);
  } else if (change.action >= SourceChange::Action::kOnline) {
    command(change, now);
  } else {
    const ntp::SourceTable& table = keeper_->sources().sources();
    const auto found = std::find_if(table.begin(), table.end(), [&](const ntp::Source& source) {
      return source.config().name == change.source.name;
    });
    CHECK(found != table.end());
    const bool removes = change.action == SourceChange::Action::kRemove;
    CHECK(removes ? keeper_->sources().remove(found->id(), now).ok()
                  : keeper_->sources().change(found->id(), change.source, now).ok());
  }
  settle();
}

void ClientActor::start() {
  keeper_->leap().set_table(leap_table(config_.leap, world_));
  for (const auto& clock : refclocks_) clock->start();
  if (config_.upsets.network_events) tell_of_routes();
  if (config_.step_at > Duration()) {
    world_.after(config_.step_at, [this] { step_clock(config_.step_by); });
  }
  plan_commands();
  plan_upsets();
  plan_restarts();
  settle();
}

// What others do to it.
void ClientActor::plan_commands() {
  if (config_.rate_at > Duration()) {
    world_.after(config_.rate_at, [this] {
      clock_.set_rate(config_.rate_ppm * 1e-6, world_.now());
      last_upset_ = world_.elapsed();
    });
  }
  if (config_.accept_step_at > Duration()) {
    world_.after(config_.accept_step_at, [this] {
      ntp::Outbox out;
      if (!keeper_->accept_step(local_now(), out)) violations_.push_back("nothing to accept");
      act(out);
      settle();
    });
  }
}

// After each call: plans the next wake-up and lets the watcher look.
void ClientActor::settle() {
  const std::uint64_t number = ++wakes_;
  const MonoTime deadline = keeper_->next_deadline();
  if (deadline != MonoTime::max()) {
    world_.at(clock_.moment_of(deadline, world_.now()), [this, number] {
      if (number == wakes_) wake();
    });
  }
  if (watcher_) watcher_();
}

void ClientActor::wake() {
  if (asleep_) return;
  last_look_ = world_.elapsed();
  ntp::Outbox out;
  keeper_->handle_timer(local_now(), random_, out);
  act(out);
  settle();
}

void ClientActor::act(ntp::Outbox& out) {
  const ntp::ClockReading now = local_now();
  const auto unsendable = saver_.before(out, keeper_->sources(), *this, now.mono, now.system);
  for (const ntp::SendAction& action : out.sends) {
    const auto lost = std::find(unsendable.begin(), unsendable.end(), action.association);
    if (lost == unsendable.end()) send(action);
  }
  for (const ntp::AssociationId association : out.closes) sockets_.erase(association);
  for (const ntp::SourceId source : out.resolves) resolve(source);
  for (const ntp::EstablishAction& action : out.establishes) establish(action);
  for (const ntp::TargetNote& note : out.targets) {
    world_.trace().add(world_.now(), note.target, static_cast<std::uint64_t>(note.cause));
    targets_.push_back({world_.elapsed(), note.target, note.cause});
  }
  for (const ntp::Event& event : out.events) {
    world_.trace().add(world_.now(), ntp::name_of(event.kind), event.association);
    events_.push_back({world_.elapsed(), event});
  }
}

void ClientActor::send(const ntp::SendAction& action) {
  if (!has_route(action.to.address)) {
    sockets_.erase(action.association);
    keeper_->sources().handle_send_failure(action.association, local_now().mono);
    return;
  }
  requests_.push_back({world_.elapsed(), action.to.address});
  Socket& socket = sockets_[action.association];
  socket.port = static_cast<std::uint16_t>(1024 + prng_.below(64512));
  socket.answered = false;
  socket.request = 0;
  Datagram datagram{0, 0, {address_, socket.port, 0}, action.to, {}};
  datagram.bytes.assign(action.bytes().begin(), action.bytes().end());
  const ntp::AssociationId association = action.association;
  world_.after(kSendLatency + exponential(prng_, kSendLatency), [this, association, datagram] {
    const auto found = sockets_.find(association);
    if (found == sockets_.end() || found->second.port != datagram.from.port) return;
    if (offline() || asleep_) return;
    keeper_->handle_transmit_timestamp(association, {local_now().system});
    found->second.request = network_.send(datagram);
  });
}

void ClientActor::resolve(ntp::SourceId source) {
  lookups_.push_back(world_.elapsed());
  const ntp::SourceConfig& config = keeper_->sources().sources().find(source)->config();
  if (config.nts.lookup != ntp::ServerLookup::kAddresses) return resolve_services(source);
  if (config.pool != ntp::kNoSource && dns_.is_gone(config.name, world_.elapsed())) {
    world_.after(kLookupLatency, [this, source] {
      world_.trace().add(world_.now(), "gone", source);
      keeper_->sources().handle_gone(source, local_now().mono);
      settle();
    });
    return;
  }
  const std::vector<IpAddress> addresses = dns_.lookup(config.name, world_.elapsed());
  world_.after(kLookupLatency, [this, source, addresses] {
    world_.trace().add(world_.now(), "resolved", addresses.size());
    keeper_->sources().handle_addresses(source, addresses, local_now().mono);
    settle();
  });
}

// As ntpd/time_client_services.cc: signatures are judged by the clock, unless certificates are not.
void ClientActor::resolve_services(ntp::SourceId source) {
  DnsServices found = dns_.services(keeper_->sources().name(source), world_.elapsed());
  const nts::DateRule rule = keeper_->certificate_dates(local_now());
  found.answer.dates_checked =
      rule.judged != nts::DatesJudged::kNot || config_.unchecked_quorum < kLeastQuorum;
  const bool wrong_clock = (rule.time - world_.utc()).abs() > kSignaturesHold;
  if (found.answer.dates_checked && (found.bad_dates || wrong_clock)) {
    found.answer.trust = ntp::DnsTrust::kBogus;
  }
  world_.after(kLookupLatency, [this, source, answer = found.answer] {
    world_.trace().add(world_.now(), "services", answer.targets.size());
    keeper_->sources().handle_services(source, answer, local_now().mono);
    settle();
  });
}

void ClientActor::establish(const ntp::EstablishAction& action) {
  const IpAddress& with = action.server.address;
  const std::size_t index = establishments_.size();
  world_.trace().add(world_.now(), "establish", action.id);
  const auto done = [this, id = action.id, index](const ntp::EstablishmentResult& result) {
    world_.trace().add(world_.now(), "established", result.established ? 1 : 0);
    if (result.established) establishments_[index].established = true;
    if (asleep_) return;
    keeper_->sources().handle_establishment(id, result, local_now().mono);
    settle();
  };
  ntp::EstablishmentResult unsent;
  unsent.unsent = true;
  if (offline() || !has_route(with)) {
    world_.after(kSendLatency, [done, unsent] { done(unsent); });
    return;
  }
  establishments_.push_back({world_.elapsed(), with, false});
  keys_.establish(keeper_->sources().name(action.source), with,
                  keeper_->certificate_dates(local_now()), done);
}

void ClientActor::handle_datagram(const Datagram& datagram) {
  if (offline() || asleep_) return;
  const auto found = std::find_if(sockets_.begin(), sockets_.end(), [&](const auto& entry) {
    return entry.second.port == datagram.to.port;
  });
  if (found == sockets_.end()) {
    world_.trace().add(world_.now(), "closed port", datagram.id);
    return;
  }
  last_look_ = world_.elapsed();
  const ntp::ClockReading now = local_now();
  ntp::Outbox out;
  const ntp::ReplyReason reason =
      keeper_->handle_datagram(found->first, {now, now.system}, datagram.bytes, random_, out);
  world_.trace().add(world_.now(), ntp::name_of(reason), found->first);
  if (ntp::is_answer(reason)) {
    Socket& socket = found->second;
    if (datagram.cause == 0 || datagram.cause != socket.request || socket.answered) {
      violations_.push_back("took a reply (" + std::string(ntp::name_of(reason)) +
                            ") that is none to its request");
    }
    socket.answered = true;
  }
  act(out);
  settle();
}

}  // namespace timepool::sim
