// Runs a scenario and watches its limits at every step of the client and each second between.
#include <algorithm>
#include <map>
#include <memory>
#include <set>
#include <string>

#include "ntp/reply_reason.h"
#include "nts/retry_schedule.h"
#include "sim/clock_floor.h"
#include "sim/poll_rate.h"
#include "sim/scenario.h"

namespace timepool::sim {
namespace {

// A broken limit is broken at every step from then on: the first few say enough.
constexpr std::size_t kMaxViolations = 20;
constexpr Duration kWatchInterval = Duration::seconds(1);
// 10.0.0.1: where nobody is.
constexpr std::uint32_t kNobody = 0x0a000001;
// Rounding of timestamps to nanoseconds and of NTP fractions.
constexpr Duration kRounding = Duration::nanoseconds(10);

std::string list(const std::set<std::string>& names) {
  std::string out;
  for (const std::string& name : names) out += (out.empty() ? "" : ", ") + name;
  return out.empty() ? "none" : out;
}

class Run {
 public:
  Run(const Scenario& scenario, std::uint64_t seed)
      : scenario_(scenario),
        world_(seed, scenario.start),
        network_(world_),
        keys_(world_, network_),
        client_(world_, network_, dns_, keys_, scenario.client),
        floor_(client_.floor()) {
    if (scenario.leap.at) world_.set_leap({*scenario.leap.at, scenario.leap.seconds});
    servers_.reserve(scenario.servers.size());
    for (const ServerConfig& server : scenario.servers) {
      servers_.push_back(std::make_unique<ServerActor>(world_, network_, server));
      keys_.attach(server.address, *servers_.back());
      names_[server.address] = server.name;
      addresses_[server.name] = server.address;
    }
    for (const auto& server : servers_) {
      for (const auto& other : servers_) {
        if (server->config().nts.names == other->config().address) server->share_keys(*other);
      }
    }
    for (const DnsAnswer& answer : scenario.dns) {
      std::vector<IpAddress> addresses;
      for (const std::string& name : answer.servers) addresses.push_back(addresses_[name]);
      addresses.insert(addresses.begin(), answer.addresses.begin(), answer.addresses.end());
      for (std::uint64_t i = 0; i < answer.more; ++i) {
        addresses.push_back(IpAddress::v4(kNobody + static_cast<std::uint32_t>(i)));
      }
      dns_.set(answer.name, answer.from, addresses);
      if (answer.gone) dns_.remove(answer.name, answer.from);
    }
    for (const DnsServiceAnswer& it : scenario.services) {
      DnsServices services;
      services.answer.status = it.status;
      services.answer.trust = it.trust;
      services.answer.alias = it.alias;
      services.answer.targets = it.targets;
      services.bad_dates = it.bad_dates;
      dns_.set_services(it.pool, it.from, std::move(services));
    }
    for (const ntp::SourceConfig& source : scenario.sources) client_.add(source);
    for (const RefclockActorConfig& clock : scenario.refclocks) client_.add(clock);
  }

  Outcome run() {
    client_.watch([this] { watch(); });
    for (const SourceChange& change : scenario_.changes) {
      world_.after(change.at, [this, &change] { client_.carry_out(change); });
    }
    client_.start();
    watch_again();
    world_.run_until(world_.start() + scenario_.duration);
    check_end();
    Outcome out;
    out.seed = world_.seed();
    out.trace_hash = world_.trace().hash();
    out.trace_entries = world_.trace().entries();
    out.worst_error = worst_error_;
    out.violations = std::move(violations_);
    out.events = client_.events();
    out.establishments = client_.establishments();
    return out;
  }

 private:
  void violation(const std::string& text) {
    if (violations_.size() >= kMaxViolations) return;
    violations_.push_back("at " + format(world_.elapsed()) + ": " + text);
  }

  void watch_again() {
    world_.after(kWatchInterval, [this] {
      watch();
      watch_again();
    });
  }

  bool in_leap() const {
    if (!world_.leap()) return false;
    const Duration since = world_.now() - ntp::moment_of(*world_.leap());
    return since.abs() < scenario_.expect.leap_grace;
  }

  // What a client of smeared sources should follow, less UTC.
  Duration smear_shift() const {
    if (!scenario_.client.leap.sources_smear || !world_.leap()) return {};
    for (const ServerConfig& server : scenario_.servers) {
      const ServerLeap& leap = server.leap;
      if (!leap.smear_shape) continue;
      const ntp::Smear smear{server.name, *leap.smear_shape, Duration() - leap.smear / 2,
                             leap.smear};
      const Duration since = world_.utc() - world_.leap()->at;
      return Duration::from_seconds(ntp::smear_offset(smear, since, world_.leap()->seconds));
    }
    return {};
  }

  // What must hold at every moment.
  void watch() {
    // Asleep it reads no clock.
    if (client_.unaware()) return;
    const MonoTime now = client_.local_now().mono;
    watch_restarts(now);
    watch_pool(now);
    if (in_leap()) return;
    const Duration truth = client_.true_raw_offset() + smear_shift();
    watch_tracking(client_.sources().tracking(now), truth);
    watch_sources(now, truth);
    watch_clock();
  }

  // A program that starts anew has new ids, and knows the time again soon.
  void watch_restarts(MonoTime now) {
    if (client_.restarts() != restarts_seen_) {
      restarts_seen_ = client_.restarts();
      for (const std::string& text : poll_rate_.violations()) violation(text);
      poll_rate_ = PollRate();
      restarted_at_ = world_.elapsed();
    }
    if (!restarted_at_ || !client_.sources().tracking(now).synchronised) return;
    const Duration took = world_.elapsed() - *restarted_at_;
    restarted_at_.reset();
    const Duration most = scenario_.expect.back_within;
    if (most > Duration() && took > most)
      violation("synchronised " + format(took) + " after a restart");
  }

  // The steered clock itself, and what the client says of it.
  void watch_clock() {
    if (!scenario_.client.steer) return;
    if (!floor_.look(client_.local_now().system, client_.last_upset())) {
      violation("the clock was set to before the build date: by " +
                format(client_.floor() - client_.local_now().system));
    }
    const Duration error = client_.true_offset() + smear_shift();
    const Expectations& expect = scenario_.expect;
    // The first correction begins on one side of the truth.
    if (side_ == 0 && error != Duration()) side_ = error < Duration() ? -1 : 1;
    if (expect.max_overshoot > Duration() && error * -side_ > expect.max_overshoot) {
      violation("the clock went past true time by " + format(error.abs()));
    }
    const auto steps = static_cast<std::int64_t>(client_.control().steps());
    if (steps > expect.max_steps) violation("step " + std::to_string(steps) + " of the clock");
    if (world_.elapsed() < expect.clock_settled) return;
    if (expect.max_clock_error > Duration() && error.abs() > expect.max_clock_error) {
      violation("the clock is off by " + format(error));
    }
  }

  void watch_tracking(const ntp::Tracking& tracking, Duration truth) {
    if (!tracking.synchronised) return;
    if (!synchronised_at_) synchronised_at_ = world_.elapsed();
    const Duration error = (tracking.offset - truth).abs();
    if (error > tracking.uncertainty + kRounding) {
      violation("the error " + format(error) + " is outside the reported bound " +
                format(tracking.uncertainty));
    }
    const Expectations& expect = scenario_.expect;
    const std::string reference = name_of(tracking.association, tracking.server);
    if (!expect.reference.empty() && std::find(expect.reference.begin(), expect.reference.end(),
                                               reference) == expect.reference.end()) {
      violation("the reference is " + reference);
    }
    if (world_.elapsed() < expect.settled) return;
    worst_error_ = std::max(worst_error_, error);
    if (expect.max_error > Duration() && error > expect.max_error) {
      violation("the error " + format(error) + " is above the limit");
    }
    if (expect.max_uncertainty > Duration() && tracking.uncertainty > expect.max_uncertainty) {
      violation("the uncertainty " + format(tracking.uncertainty) + " is above the limit");
    }
  }

  // How many agree, and how often each is asked.
  void watch_pool(MonoTime now) {
    const std::vector<ntp::SourceReport> reports = client_.sources().reports(now);
    const std::size_t events = client_.events().size();
    bool restarted = false;
    for (; events_seen_ < events; ++events_seen_) {
      const ntp::EventKind kind = client_.events()[events_seen_].event.kind;
      restarted |= kind == ntp::EventKind::kResumed || kind == ntp::EventKind::kOutageOver;
    }
    poll_rate_.look(reports, client_.sources().sources(), now, restarted);
    const std::uint64_t wanted = scenario_.expect.min_agreeing;
    const std::size_t agreeing = client_.sources().tracking(now).survivors;
    if (world_.elapsed() >= scenario_.expect.settled && agreeing < wanted) {
      violation("only " + std::to_string(agreeing) + " sources agree");
    }
  }

  void watch_sources(MonoTime now, Duration truth) {
    std::set<std::string> falsetickers;
    for (const ntp::SourceReport& report : client_.sources().reports(now)) {
      if (!report.server && report.kind != ntp::SourceKind::kRefclock) continue;
      const std::string name = report.server ? names_[report.server->address] : report.name;
      if (report.status == ntp::SourceStatus::kFalseticker) falsetickers.insert(name);
      if (!report.has_estimate || is_liar(name)) continue;
      const Duration error = (report.estimate.offset - truth).abs();
      if (error > report.estimate.distance + kRounding) {
        violation(name + " is honest, yet the truth is " + format(error) + " off with a bound of " +
                  format(report.estimate.distance));
      }
    }
    const auto& expected = scenario_.expect.falsetickers;
    if (!expected.empty() && !falsetickers_at_ &&
        falsetickers == std::set<std::string>(expected.begin(), expected.end())) {
      falsetickers_at_ = world_.elapsed();
    }
    falsetickers_ = std::move(falsetickers);
  }

  // A reference clock's name, or a server's by its address.
  std::string name_of(ntp::AssociationId id, const Endpoint& server) {
    for (const auto& [clock_id, clock] : client_.sources().refclocks()) {
      if (clock_id == id) return clock->config().name;
    }
    return names_[server.address];
  }

  bool is_liar(const std::string& name) const {
    for (const RefclockActorConfig& clock : scenario_.refclocks) {
      // A pulse that is locked to a liar lies with it.
      if (clock.name == name) return clock.lies() || (!clock.lock.empty() && is_liar(clock.lock));
    }
    return std::any_of(
        scenario_.servers.begin(), scenario_.servers.end(),
        [&](const ServerConfig& server) { return server.name == name && !server.honest(); });
  }

  bool plays_tricks(const std::string& name) const {
    return std::any_of(
        scenario_.servers.begin(), scenario_.servers.end(),
        [&](const ServerConfig& server) { return server.name == name && !server.tricks.empty(); });
  }

  void check_end() {
    watch();
    for (const std::string& text : client_.violations()) violation(text);
    for (const auto& server : servers_) {
      for (const std::string& text : server->violations()) violation(text);
    }
    for (const std::string& text : poll_rate_.violations()) violation(text);
    check_lookups();
    check_synchronisation();
    check_sets();
    check_causes();
    check_targets();
    check_requests();
    check_reasons();
    check_replacements();
    check_nts();
    check_events();
  }

  void check_synchronisation() {
    const Expectations& expect = scenario_.expect;
    const bool synchronised = client_.sources().tracking(client_.local_now().mono).synchronised;
    if (expect.back_within > Duration() && (restarted_at_ || restarts_seen_ == 0)) {
      violation("not synchronised after a restart");
    }
    if (synchronised != expect.synchronised) {
      violation(synchronised ? "synchronised at the end" : "not synchronised at the end");
    }
    if (expect.synchronised_within == Duration()) return;
    if (!synchronised_at_ || *synchronised_at_ > expect.synchronised_within) {
      violation("synchronised " +
                (synchronised_at_ ? "at " + format(*synchronised_at_) : std::string("never")));
    }
  }

  void check_sets() {
    const Expectations& expect = scenario_.expect;
    const std::set<std::string> liars(expect.falsetickers.begin(), expect.falsetickers.end());
    // Who plays tricks may be caught at one or be honest at the end.
    std::erase_if(falsetickers_, [&](const std::string& name) { return plays_tricks(name); });
    if (falsetickers_ != liars) violation("falsetickers at the end: " + list(falsetickers_));
    if (expect.falsetickers_within > Duration() &&
        (!falsetickers_at_ || *falsetickers_at_ > expect.falsetickers_within)) {
      violation("falsetickers named " +
                (falsetickers_at_ ? "at " + format(*falsetickers_at_) : std::string("never")));
    }
    if (expect.in_use.empty()) return;
    std::set<std::string> in_use;
    for (const ntp::SourceReport& report : client_.sources().reports(client_.local_now().mono)) {
      if (report.server) in_use.insert(names_[report.server->address]);
    }
    if (in_use != std::set<std::string>(expect.in_use.begin(), expect.in_use.end())) {
      violation("in use at the end: " + list(in_use));
    }
  }

  void check_targets() {
    const std::vector<TimedTarget>& notes = client_.targets();
    for (const ExpectedDrop& expected : scenario_.expect.dropped) {
      const bool found = std::any_of(notes.begin(), notes.end(), [&](const TimedTarget& it) {
        return it.target == expected.target && ntp::name_of(it.cause) == expected.cause &&
               it.elapsed >= expected.from && it.elapsed <= expected.until;
      });
      if (!found) violation(expected.target + " was not dropped in time as " + expected.cause);
    }
    const auto count = [&](const std::string& target, bool taken) {
      return std::count_if(notes.begin(), notes.end(), [&](const TimedTarget& it) {
        return it.target == target && (it.cause == ntp::TargetDrop::kNone) == taken;
      });
    };
    for (const std::string& target : scenario_.expect.dropped_never) {
      if (count(target, false) > 0) violation(target + " was dropped");
    }
    for (const std::string& target : scenario_.expect.taken_once) {
      const auto times = count(target, true);
      if (times != 1) violation(target + " was taken " + std::to_string(times) + " times");
    }
  }

  void check_causes() {
    for (const ExpectedCause& expected : scenario_.expect.causes) {
      for (const ntp::SourceReport& report : client_.sources().reports(client_.local_now().mono)) {
        if (!report.server || names_[report.server->address] != expected.server) continue;
        if (ntp::name_of(report.cause) != expected.cause) {
          violation(expected.server + " is " + std::string(ntp::name_of(report.cause)));
        }
      }
    }
  }

  void check_lookups() {
    const std::vector<Duration>& lookups = client_.lookups();
    const Expectations& expect = scenario_.expect;
    if (expect.max_lookups > 0 && lookups.size() > expect.max_lookups) {
      violation("names were looked up " + std::to_string(lookups.size()) + " times");
    }
    const Duration hour = Duration::seconds(3600);
    for (auto first = lookups.begin(); first != lookups.end(); ++first) {
      if (expect.max_lookups_per_hour == 0 || *first < hour) continue;
      const auto last = std::upper_bound(first, lookups.end(), *first + hour);
      if (last - first <= static_cast<std::ptrdiff_t>(expect.max_lookups_per_hour)) continue;
      return violation(std::to_string(last - first) + " look-ups in the hour from " +
                       format(*first));
    }
  }

  void check_requests() {
    for (const RequestLimit& limit : scenario_.expect.requests) {
      for (const auto& server : servers_) {
        if (server->config().name != limit.server) continue;
        const std::uint64_t count = server->requests();
        if (count < limit.min || count > limit.max) {
          violation(limit.server + " was asked " + std::to_string(count) + " times");
        }
      }
    }
  }

  void check_reasons() {
    for (std::size_t i = 0; i < ntp::kReplyReasonCount; ++i) {
      const auto reason = static_cast<ntp::ReplyReason>(i);
      const std::string name(ntp::name_of(reason));
      const auto listed = [&](const std::vector<std::string>& names) {
        return std::find(names.begin(), names.end(), name) != names.end();
      };
      const std::uint64_t count = client_.sources().count(reason);
      if (listed(scenario_.expect.reasons) && count == 0) violation("no reply was " + name);
      if (listed(scenario_.expect.reasons_never) && count != 0) {
        violation(std::to_string(count) + " replies were " + name);
      }
    }
  }

  void check_events() {
    for (const TimedEvent& timed : client_.events()) {
      const std::string name(ntp::name_of(timed.event.kind));
      const auto& never = scenario_.expect.events_never;
      if (std::find(never.begin(), never.end(), name) != never.end()) {
        violation(names_[timed.event.server.address] + " became " + name + " at " +
                  format(timed.elapsed));
      }
    }
    for (const std::string& name : scenario_.expect.events) {
      const bool found = std::any_of(
          client_.events().begin(), client_.events().end(),
          [&](const TimedEvent& timed) { return ntp::name_of(timed.event.kind) == name; });
      if (!found) violation("nothing became " + name);
    }
    if (client_.true_offset().abs() < scenario_.expect.min_clock_error) {
      violation("the clock was corrected to " + format(client_.true_offset()));
    }
  }

  // NTS: the limits, and what must always hold: no cookie twice, no key establishment before the
  // rule allows it.
  void check_nts() {
    for (const SentLimit& limit : scenario_.expect.sent) {
      const auto count = static_cast<std::uint64_t>(std::count_if(
          client_.requests().begin(), client_.requests().end(), [&](const TimedRequest& it) {
            return it.to == addresses_[limit.server] && it.elapsed >= limit.from &&
                   it.elapsed < limit.until;
          }));
      if (count > limit.max) {
        violation(std::to_string(count) + " requests to " + limit.server + " from " +
                  format(limit.from) + " to " + format(limit.until));
      }
    }
    const std::vector<TimedEstablishment>& made = client_.establishments();
    for (const EstablishmentLimit& limit : scenario_.expect.establishments) {
      const auto count = static_cast<std::uint64_t>(
          std::count_if(made.begin(), made.end(), [&](const TimedEstablishment& it) {
            return it.elapsed >= limit.from && it.elapsed < limit.until;
          }));
      if (count < limit.min || count > limit.max) {
        violation(std::to_string(count) + " key establishments from " + format(limit.from) +
                  " to " + format(limit.until));
      }
    }
    for (const auto& server : servers_) {
      if (server->cookies_reused() > 0) violation(server->config().name + " saw a cookie twice");
    }
    check_retry_rule(made);
  }

  // RFC 8915 4.2, as far as it can be seen from outside: after the n-th failure in a row.
  void check_retry_rule(const std::vector<TimedEstablishment>& made) {
    std::map<IpAddress, std::pair<std::uint32_t, Duration>> last;
    for (const TimedEstablishment& it : made) {
      auto& [failures, at] = last[it.with];
      if (failures > 0 && it.elapsed - at < nts::retry_interval(failures)) {
        violation("a key establishment with " + names_[it.with] + " " + format(it.elapsed - at) +
                  " after failure " + std::to_string(failures));
      }
      failures = it.established ? 0 : failures + 1;
      at = it.elapsed;
    }
  }

  void check_replacements() {
    for (const Replacement& expected : scenario_.expect.replaced) {
      const bool found = std::any_of(
          client_.events().begin(), client_.events().end(), [&](const TimedEvent& timed) {
            return timed.event.kind == ntp::EventKind::kReplaced &&
                   names_[timed.event.server.address] == expected.server &&
                   timed.elapsed >= expected.from && timed.elapsed <= expected.until;
          });
      if (!found) violation(expected.server + " was not replaced in time");
    }
  }

  const Scenario& scenario_;
  World world_;
  Network network_;
  FakeDns dns_;
  KeyHosts keys_;
  ClientActor client_;
  ClockFloor floor_;
  std::vector<std::unique_ptr<ServerActor>> servers_;
  std::map<IpAddress, std::string> names_;
  std::map<std::string, IpAddress> addresses_;
  std::optional<Duration> synchronised_at_;
  std::optional<Duration> falsetickers_at_;
  std::set<std::string> falsetickers_;
  Duration worst_error_;
  int side_ = 0;
  PollRate poll_rate_;
  std::uint64_t restarts_seen_ = 0;
  std::optional<Duration> restarted_at_;  // and not synchronised since
  std::size_t events_seen_ = 0;
  std::vector<std::string> violations_;
};

}  // namespace

Outcome run(const Scenario& scenario, std::uint64_t seed) {
  return Run(scenario, seed).run();
}

}  // namespace timepool::sim
