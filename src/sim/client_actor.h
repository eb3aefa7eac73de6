// ClientActor: a client made of ntp/Timekeeper, with a clock, sockets and a resolver of the
// simulated world, and a watch over what must hold at every moment.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "ntp/session_saver.h"
#include "ntp/timekeeper.h"
#include "nts/testing.h"
#include "sim/client_leap.h"
#include "sim/clock.h"
#include "sim/clock_control.h"
#include "sim/fake_dns.h"
#include "sim/key_hosts.h"
#include "sim/network.h"
#include "sim/refclock_actor.h"
#include "sim/upsets.h"

namespace timepool::sim {

struct ClientConfig {
  ClockConfig clock;
  ClientLeap leap;
  ClientUpsets upsets;
  // Whether the client steers its clock, and how.
  bool steer = false;
  ntp::CorrectionRules rules;
  // A person accepts a step.
  Duration accept_step_at;
  // Another program sets the clock's rate.
  Duration rate_at;
  double rate_ppm = 0;
  std::size_t min_sources = 1;
  std::uint8_t max_stratum = 15;
  ntp::AuthSelection auth_selection = ntp::AuthSelection::kMix;
  std::int64_t clock_error_ppb = 50'000;
  std::int64_t max_clock_error_ppb = 1'000;
  Duration replace_interval = Duration::seconds(1800);
  // Dates of certificates (nts/certificate_dates.h).
  std::uint64_t unchecked_updates = 0;
  std::size_t unchecked_quorum = 3;
  std::optional<Duration> last_good;
  std::vector<Window> disk_fails;
  // Somebody steps the client's clock by this much at this time; zero is never.
  Duration step_at;
  Duration step_by;
};

ntp::TimekeeperConfig keeper_config(const ClientConfig& config);

// At `at` the operator does this with a source.
struct SourceChange {
  enum class Action : std::uint8_t { kAdd, kRemove, kChange, kOnline, kOffline, kBurst };
  Duration at;
  Action action = Action::kAdd;
  ntp::SourceConfig source;
};

// A request that left, or would have.
struct TimedRequest {
  Duration elapsed;
  IpAddress to;
};

// A key establishment that began, and whether it succeeded.
struct TimedEstablishment {
  Duration elapsed;
  IpAddress with;
  bool established = false;
};

// A server of a pool by SRV records was taken or dropped.
struct TimedTarget {
  Duration elapsed;
  std::string target;
  ntp::TargetDrop cause = ntp::TargetDrop::kNone;
};

struct TimedEvent {
  Duration elapsed;
  ntp::Event event;
};

class ClientActor final : public Node, ntp::SessionStore {
 public:
  ClientActor(World& world, Network& network, const FakeDns& dns, KeyHosts& keys,
              const ClientConfig& config);

  // CHECKs that the source set takes it.
  void add(const ntp::SourceConfig& source);
  // The same for a reference clock, which begins with start().
  void add(const RefclockActorConfig& clock);
  // CHECKs that the source set can do it.
  void carry_out(const SourceChange& change);
  // Called after everything that the client does; set before start().
  void watch(std::function<void()> watcher) { watcher_ = std::move(watcher); }
  void start();

  void handle_datagram(const Datagram& datagram) override;

  const ntp::Timekeeper& keeper() const { return *keeper_; }
  const ntp::SourceSet& sources() const { return keeper_->sources(); }
  const SimClockControl& control() const { return control_; }
  ntp::ClockReading local_now() { return clock_.read(world_.now()); }
  // True time less the client's clock's, now.
  Duration true_offset() {
    return clock_.true_offset(world_.now()) + world_.utc_shift(world_.now());
  }
  // True time less raw time, now: what the source set should measure.
  Duration true_raw_offset();
  // Whether something befell its clock that it has not had an occasion to notice.
  bool unaware() const { return asleep_ || last_upset_ > last_look_; }
  // Its build date: it may not set its clock to a time before it.
  UnixTime floor() const { return config_.rules.floor; }
  // When others moved its clock last, as time since the start; negative: never.
  Duration last_upset() const { return last_upset_; }
  // How often the program was started anew.
  std::uint64_t restarts() const { return restarts_; }
  // When names were looked up, as time since the start.
  const std::vector<Duration>& lookups() const { return lookups_; }
  const std::vector<TimedEvent>& events() const { return events_; }
  // Of those that left this machine.
  const std::vector<TimedRequest>& requests() const { return requests_; }
  const std::vector<TimedEstablishment>& establishments() const { return establishments_; }
  const std::vector<TimedTarget>& targets() const { return targets_; }
  // Replies taken that were none to the request that waits.
  const std::vector<std::string>& violations() const { return violations_; }

 private:
  struct Socket {
    std::uint16_t port = 0;
    std::uint64_t request = 0;  // id of the datagram last sent
    bool answered = false;
  };

  void begin(const ntp::TimekeeperConfig& config);
  void plan_restarts();
  void save_samples();
  void stop(const Restart& restart);
  void start_anew(const std::vector<ntp::SourceConfig>& sources);
  ntp::OscillatorReading oscillator();
  bool write(const nts::SavedSessions& saved) override;
  bool remove() override;
  bool disk_fails() const;
  void wake();
  void take(ntp::AssociationId id, const ntp::RefclockReading& reading);
  void act(ntp::Outbox& out);
  void send(const ntp::SendAction& action);
  void resolve(ntp::SourceId source);
  void resolve_services(ntp::SourceId source);
  void establish(const ntp::EstablishAction& action);
  bool has_route(const IpAddress& to) const;
  void tell_of_routes();
  void settle();
  // The actions that leave the source as it is configured.
  void command(const SourceChange& change, MonoTime now);
  void plan_commands();
  void plan_upsets();
  void step_clock(Duration by);
  void plan_step();
  void plan_frequency_jump();
  void sleep(const Window& window);
  bool offline() const;

  World& world_;
  Network& network_;
  const FakeDns& dns_;
  KeyHosts& keys_;
  ClientConfig config_;
  Clock clock_;
  Prng prng_;
  ntp::RandomStream random_;
  SimClockControl control_;
  nts::fake::TestAeadMaker aeads_;
  std::vector<std::byte> saved_sessions_;  // the file
  ntp::SessionSaver saver_;
  std::vector<TimedRequest> requests_;
  std::vector<TimedEstablishment> establishments_;
  std::optional<ntp::Timekeeper> keeper_;  // always; another after a restart
  IpAddress address_;
  std::map<ntp::AssociationId, Socket> sockets_;
  std::vector<std::unique_ptr<RefclockActor>> refclocks_;
  std::uint64_t wakes_ = 0;
  std::vector<Duration> lookups_;
  Duration last_look_;
  Duration last_upset_ = Duration::seconds(-1);
  bool asleep_ = false;  // or the program does not run
  std::uint64_t restarts_ = 0;
  std::vector<std::byte> saved_samples_;  // the file
  std::optional<double> saved_frequency_;
  double saved_frequency_sd_ = 0;
  Prng upset_prng_;
  std::function<void()> watcher_;
  std::vector<TimedEvent> events_;
  std::vector<TimedTarget> targets_;
  std::vector<std::string> violations_;
};

}  // namespace timepool::sim
