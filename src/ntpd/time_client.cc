#include "ntpd/time_client.h"

#include <poll.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdlib>
#include <utility>

#include "ntpd/kernel_clock.h"
#include "ntpd/leap_config.h"
#include "ntpd/sandbox.h"
#include "ntpd/select_settings.h"
#include "ntpd/served_state.h"
#include "sys/clock.h"
#include "sys/own_addresses.h"
#include "sys/random.h"
#include "sys/version.h"

namespace timepool::ntpd {
namespace {

// How often the machine's own addresses are read anew.
constexpr Duration kIdentityInterval = Duration::seconds(60);

SiphashKey random_key() {
  std::array<std::byte, 16> bytes{};
  sys::fill_random(bytes);
  return siphash_key(bytes);
}

// What only observes the clock goes by what a program that steered it left.
UnixTime last_good_time(const config::NtpdConfig& config) {
  const std::string directory = state_directory(config.state_directory);
  if (directory.empty()) return {};
  const Result<ClockMemory> memory = load_memory(clock_memory_path(directory));
  return memory.ok() ? memory->last_good.value_or(UnixTime()) : UnixTime();
}

UnixTime certificates_earliest(const config::NtpdConfig& config) {
  if (in_network_simulator()) return {};
  return std::max(sys::build_date(), last_good_time(config));
}

void set_certificates(const config::NtpdConfig& config, ntp::TimekeeperConfig& out) {
  const config::NtsClientConfig client = config.nts.client.value_or(config::NtsClientConfig{});
  out.sources.key_lifetime = client.key_lifetime;
  out.sources.selection.unchecked_quorum = client.unchecked_quorum;
  out.certificates.unchecked_updates = client.unchecked_updates;
  out.certificates.earliest = certificates_earliest(config);
}

std::string sessions_path(const config::NtpdConfig& config) {
  if (config.nts.client && !config.nts.client->file.empty()) return config.nts.client->file;
  const std::string directory = state_directory(config.state_directory);
  return directory.empty() ? "" : directory + "/nts-sessions.bin";
}

ntp::TimekeeperConfig keeper_config(const config::NtpdConfig& config, int precision,
                                    const std::optional<ClockRecord>& record) {
  ntp::TimekeeperConfig out;
  out.sources.exchange.precision = static_cast<std::int8_t>(precision);
  out.sources.min_sources = static_cast<std::size_t>(config.sources.min_sources);
  out.sources.selection = selection_config(config.sources);
  out.sources.selection.orphan_stratum = orphan_stratum(config.server);
  out.sources.replace_interval = config.sources.replace_interval;
  out.leap = leap_config(config);
  out.sources.exchange.max_clock_error_ppb = std::llround(config.steering.max_clock_error * 1e3);
  const config::NtpSteeringConfig& steering = config.steering;
  ntp::CorrectionRules& rules = out.discipline.rules;
  rules.step = {steering.step.threshold, steering.step.limit,
                static_cast<std::size_t>(steering.step.min_sources)};
  rules.max_change = {steering.max_change.offset, steering.max_change.start,
                      steering.max_change.ignore};
  rules.panic = steering.panic_threshold;
  rules.panic_quorum = static_cast<std::size_t>(steering.panic_quorum);
  if (!in_network_simulator()) {
    rules.floor = sys::build_date();
    // B10. Not the last good time: it may be wrong itself, and a person may overrule it.
    out.sources.exchange.earliest = rules.floor;
  }
  out.discipline.max_slew_rate = config.steering.max_slew_rate * 1e-6;
  if (record) record->apply(out);
  set_certificates(config, out);
  return out;
}

net::ResolverOptions resolver_options(const config::NtpdConfig& config) {
  net::ResolverOptions out;
  out.servers = config.resolver.servers;
  out.threads = !in_network_simulator();
  return out;
}

Result<std::unique_ptr<ntp::ClockControl>> open_clock(config::ClockControl clock) {
  std::unique_ptr<ntp::ClockControl> out;
  if (clock == config::ClockControl::kSteer) {
    out = TRY(KernelClock::open());
  } else {
    out = std::make_unique<ntp::ObservedClock>();
  }
  return out;
}

}  // namespace

TimeClient::TimeClient(net::Reactor& reactor, sys::Logger& logger, const config::NtpdConfig& config,
                       int precision, std::unique_ptr<net::Resolver> resolver,
                       std::unique_ptr<ntp::ClockControl> clock, std::optional<ClockRecord> record,
                       std::shared_ptr<const ntp::KeyRing> keys)
    : reactor_(reactor),
      logger_(logger),
      random_(random_key()),
      clock_(std::move(clock)),
      record_(std::move(record)),
      keys_(std::move(keys)),
      keeper_(keeper_config(config, precision, record_), *clock_, read_clocks(),
              [this](const ntp::Source& source, const IpAddress& address) {
                return authenticator_of(source, address);
              }),
      resolver_(std::move(resolver)),
      resolver_watch_(reactor),
      other_addresses_(config.sources.own_addresses),
      rejections_(logger),
      refclocks_(
          reactor, logger,
          [this](ntp::AssociationId id, const refclock::Look& look) { on_refclock(id, look); }),
      links_(reactor, logger, config.sources, raw_mapping(), handlers()),
      listener_(reactor, logger, config.broadcast_clients, broadcast_handlers()),
      services_(reactor, config),
      earliest_(certificates_earliest(config)),
      key_source_(reactor, config.nts.client.value_or(config::NtsClientConfig{}).timeout) {
  keeper_.sources().set_aeads(aeads_);
}

TimeClient::~TimeClient() {
  if (record_) record_->save(keeper_, sys::mono_now());
  if (samples_) samples_->save(keeper_, sys::mono_now());
  if (sessions_) sessions_->save(keeper_.sources());
  outbox_->clear();
  keeper_.release(*outbox_);
}

Result<std::unique_ptr<TimeClient>> TimeClient::start(net::Reactor& reactor, sys::Logger& logger,
                                                      const config::NtpdConfig& config,
                                                      int precision,
                                                      const std::vector<ntp::SourceConfig>& sources,
                                                      std::shared_ptr<const ntp::KeyRing> keys) {
  std::unique_ptr<net::Resolver> resolver = TRY(net::Resolver::create(resolver_options(config)));
  std::unique_ptr<ntp::ClockControl> clock = TRY(open_clock(config.clock));
  std::optional<ClockRecord> record;
  if (clock->steers()) record.emplace(state_directory(config.state_directory), logger);
  std::unique_ptr<TimeClient> out(new TimeClient(reactor, logger, config, precision,
                                                 std::move(resolver), std::move(clock),
                                                 std::move(record), std::move(keys)));
  const bool validates = std::any_of(sources.begin(), sources.end(), [](const auto& source) {
    return source.nts.lookup != ntp::ServerLookup::kAddresses;
  });
  if (validates) TRY(out->services_.open());
  out->sessions_.emplace(sessions_path(config), logger);
  out->sessions_->load(out->keeper_.sources(), sources);
  static_cast<void>(out->apply(sources));
  out->start_refclocks(config.refclocks);
  if (out->record_ && config.save_samples) {
    out->samples_.emplace(state_directory(config.state_directory), logger);
    out->samples_->load(out->keeper_);
  }
  out->refresh_identity();
  out->watch_network();
  out->listener_.refresh();
  out->resolver_watch_.follow(*out->resolver_);
  out->schedule();
  return out;
}

void TimeClient::set_served(std::vector<Endpoint> endpoints) {
  links_.set_served(endpoints);
  own_.serves = std::move(endpoints);
  keeper_.sources().set_own_identity(own_);
}

// Interfaces come and go.
void TimeClient::refresh_identity() {
  Result<std::vector<IpAddress>> addresses = sys::own_addresses();
  if (addresses.ok()) {
    own_.addresses = std::move(addresses).value();
    own_.addresses.insert(own_.addresses.end(), other_addresses_.begin(), other_addresses_.end());
    keeper_.sources().set_own_identity(own_);
  } else {
    logger_.warning("{}; loops through new addresses are not seen", addresses.error().text());
  }
  identity_timer_ =
      reactor_.at(sys::mono_now() + kIdentityInterval, [this] { refresh_identity(); });
}

// Where the kernel does not tell of interfaces and routes, requests find out in time.
void TimeClient::watch_network() {
  if (in_network_simulator()) return;
  Result<sys::NetworkWatch> watch = sys::NetworkWatch::open();
  if (!watch.ok()) return logger_.info("{}", watch.error().text());
  network_ = std::move(watch).value();
  network_watch_ = reactor_.watch(network_->fd(), POLLIN, [this](short) {
    if (!network_->changed()) return;
    refresh_identity();
    links_.close_held();
    listener_.refresh();
    keeper_.sources().handle_network_change(sys::mono_now());
    schedule();
  });
}

std::optional<Endpoint> TimeClient::local_address(ntp::AssociationId association) const {
  return links_.local_address(association);
}

void TimeClient::schedule() {
  const MonoTime deadline = keeper_.next_deadline();
  if (deadline == MonoTime::max()) {
    timer_.cancel();
  } else {
    timer_ = reactor_.at(deadline, [this] { on_timer(); });
  }
}

bool TimeClient::accept_step() {
  outbox_->clear();
  const bool done = keeper_.accept_step(read_clocks(), *outbox_);
  carry_out(*outbox_);
  return done;
}

void TimeClient::tell_announced() {
  const ntp::SourceTable& all = sources().sources();
  const bool wanted = std::any_of(all.begin(), all.end(), [](const ntp::Source& source) {
    return source.config().kind == ntp::SourceKind::kPeer || source.listens();
  });
  if (wanted && announced_) keeper_.announce(announced_());
}

void TimeClient::on_timer() {
  outbox_->clear();
  tell_announced();
  const ntp::ClockReading now = read_clocks();
  keeper_.handle_timer(now, random_, *outbox_);
  if (log_ != nullptr) refclock_log_.samples(*log_, keeper_, now);
  carry_out(*outbox_);
}

void TimeClient::carry_out(ntp::Outbox& out) {
  for (const ntp::Event& event : out.events) log_event(event);
  note_targets(out);
  for (const ntp::AssociationId association : out.closes) links_.close(association);
  const std::vector<ntp::AssociationId> unsendable =
      sessions_ ? sessions_->before(out, keeper_.sources()) : std::vector<ntp::AssociationId>();
  for (const ntp::SendAction& action : out.sends) {
    const auto lost = std::find(unsendable.begin(), unsendable.end(), action.association);
    if (lost == unsendable.end()) send(action);
  }
  for (const ntp::SourceId source : out.resolves) resolve(source);
  for (const ntp::EstablishAction& action : out.establishes) establish(action);
  out.clear();
  resolver_watch_.follow(*resolver_);
  schedule();
  if (record_) record_->note(keeper_, sys::mono_now());
  if (samples_) samples_->note(keeper_, sys::mono_now());
  if (on_update_) on_update_();
}

void TimeClient::send(const ntp::SendAction& action) {
  const Result<void> sent = links_.send(action);
  if (sent.ok()) {
    ++requests_sent_;
    return;
  }
  ++send_failures_;
  logger_.debug("request to {}: {}", format(action.to), sent.error().text());
  if (sent.error().code == ErrorCode::kUnavailable) {
    keeper_.sources().handle_send_failure(action.association, sys::mono_now());
  }
}

RawMapping TimeClient::raw_mapping() const {
  return {[this](UnixTime system) { return keeper_.local_clock().raw(system); },
          [this](UnixTime raw) { return keeper_.local_clock().system(raw); }};
}

ClientLinks::Handlers TimeClient::handlers() {
  ClientLinks::Handlers out;
  out.sent = [this](ntp::AssociationId association, const ntp::TransmitStamp& stamp) {
    keeper_.handle_transmit_timestamp(association, stamp);
  };
  out.received = [this](ntp::AssociationId association, const Arrival& arrival) {
    receive(association, arrival);
  };
  out.done = [this] { carry_out(*outbox_); };
  return out;
}

void TimeClient::receive(ntp::AssociationId association, const Arrival& arrival) {
  tell_announced();
  const ntp::ClockReading now = read_clocks();
  const ntp::SystemRx rx{now, arrival.received, arrival.source, arrival.error};
  const ntp::ReplyReason reason =
      keeper_.handle_datagram(association, rx, arrival.bytes, random_, *outbox_);
  if (log_ != nullptr && is_answer(reason)) log_answer(*log_, keeper_, association, now);
  note(reason, arrival, now.mono);
}

void TimeClient::note(ntp::ReplyReason reason, const Arrival& arrival, MonoTime now) {
  rejections_.note(reason, arrival.from, arrival.received, now);
  logger_.debug("reply from {}: {} ({} timestamp)", format(arrival.from), name_of(reason),
                name_of(arrival.source));
}

std::size_t TimeClient::set_online(const std::string& source, bool online) {
  const std::size_t count =
      keeper_.sources().set_online(ntp::SourceMatch(source), online, sys::mono_now());
  schedule();
  return count;
}

std::size_t TimeClient::begin_burst(const std::string& source, ntp::BurstSize size) {
  const std::size_t count =
      keeper_.sources().begin_burst(ntp::SourceMatch(source), size, sys::mono_now());
  schedule();
  return count;
}

void TimeClient::log_event(const ntp::Event& event) {
  // An association that was replaced has no title any more.
  std::string server = sources().title(event.association);
  if (server.empty()) server = format(event.server);
  switch (event.kind) {
    case ntp::EventKind::kReachable:
      return logger_.info("{} answers", server);
    case ntp::EventKind::kUnreachable:
      return logger_.warning("{} does not answer", server);
    case ntp::EventKind::kKiss:
      return logger_.warning("{} sent a kiss of death: {}", server, name_of(event.reason));
    case ntp::EventKind::kReplaced:
      return logger_.info("{} is replaced, its last reply was {}", server, name_of(event.reason));
    case ntp::EventKind::kFalseticker:
      return logger_.warning("{} disagrees with the majority", server);
    case ntp::EventKind::kSmeared:
      return logger_.warning("{} handles the leap second otherwise than the majority", server);
    case ntp::EventKind::kTruechimer:
      return logger_.info("{} agrees with the majority again", server);
    case ntp::EventKind::kSelected:
      return logger_.info("{} is selected", server);
    case ntp::EventKind::kNoMajority:
      return logger_.warning("no majority of the sources agrees");
    case ntp::EventKind::kOutage:
      return logger_.warning("no source answers, or none can be reached: waiting for the network");
    case ntp::EventKind::kOutageOver:
      return logger_.info("{} answers: the network is back", server);
    case ntp::EventKind::kClockStepped:
      return logger_.warning("somebody stepped the system clock by {}", format(event.amount));
    case ntp::EventKind::kClockSet:
      return logger_.warning("the system clock was stepped by {}", format(event.amount));
    case ntp::EventKind::kClockRefused:
      return logger_.error("the clock is off by {}: that is not corrected", format(event.amount));
    case ntp::EventKind::kClockFailed:
      return logger_.error("{}", keeper_.failure() ? keeper_.failure()->text() : "");
    case ntp::EventKind::kClockForeign:
      return logger_.warning("something else steers the system clock");
    case ntp::EventKind::kCertificate:
      return logger_.error("the certificate of {} does not hold at the time that is agreed on",
                           server);
    case ntp::EventKind::kLeap:
      return logger_.warning("a leap second: UTC moved by {}", format(event.amount));
    case ntp::EventKind::kResumed:
      return logger_.info("the machine was suspended for {}; measuring anew", format(event.amount));
  }
}

}  // namespace timepool::ntpd
