// SourceSet: the client as a whole. Names become addresses, addresses become associations, failed
// ones are replaced (ntp/population.h), and from those that answer the time is made: which servers
// agree, who lies, and by how much the local clock is off (ntp/reference.h). All times and offsets
// are in raw time (ntp/local_time.h): it knows nothing of steering.
//
// The caller: does what the Outbox says after every call; calls handle_timer() when next_deadline()
// has come; hands in datagrams with the association whose socket they came to. One thread.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "ntp/explain.h"
#include "ntp/local_time.h"
#include "ntp/outbox.h"
#include "ntp/population.h"
#include "ntp/reference.h"
#include "ntp/service_pools.h"
#include "ntp/source_match.h"
#include "ntp/source_report.h"

namespace timepool::ntp {

struct SourceSetConfig : PopulationConfig {
  SelectionConfig selection;  // its min_sources is the population's
};

class SourceSet {
 public:
  using AuthenticatorFactory = Population::AuthenticatorFactory;

  explicit SourceSet(const SourceSetConfig& config, AuthenticatorFactory factory = {});

  // Sources come, change and go at any time; see ntp/population.h.
  Result<SourceId, ChangeError> add(const SourceConfig& config, MonoTime now) {
    return population_.add(config, now);
  }
  Result<void, ChangeError> change(SourceId id, const SourceConfig& config, MonoTime now) {
    TRY(population_.change(id, config, now));
    services_.handle_change(population_, id, now);
    return {};
  }
  Result<void, ChangeError> remove(SourceId id, MonoTime now) {
    services_.forget(population_, id, now);
    return population_.remove(id, now);
  }

  // The new member, whose readings handle_refclock() takes; nothing when there are kMaxRefclocks,
  // one has that name, or the configuration's limits are not kept.
  [[nodiscard]] std::optional<AssociationId> add_refclock(const RefclockConfig& config,
                                                          MonoTime now) {
    return population_.add_refclock(config, now);
  }

  MonoTime next_deadline() const;
  void handle_timer(LocalTime now, RandomStream& random, Outbox& out);
  // The reason for the datagram; kUnsolicited when the association is gone.
  ReplyReason handle_datagram(AssociationId association, const ReplyRx& rx, Bytes datagram,
                              RandomStream& random, Outbox& out);
  // A datagram that came from `from` where the source listens for broadcasts: that of an
  // association, which may begin with it.
  ReplyReason handle_broadcast(SourceId source, const Endpoint& from, const ReplyRx& rx,
                               Bytes datagram, RandomStream& random, Outbox& out);
  void handle_transmit_timestamp(AssociationId association, const TransmitStamp& stamp) {
    population_.handle_sent(association, stamp);
  }
  // The system could not send what the Outbox said: there is no route, no address, no interface.
  // Other faults of sending (no memory, no descriptor) are plain misses.
  void handle_send_failure(AssociationId association, MonoTime now) {
    population_.handle_send_failure(association, now);
  }
  // An interface, an address or a route came or went: whoever is silent is asked again.
  void handle_network_change(MonoTime now) { population_.handle_network_change(now); }
  // The system clock was stepped: replies to requests from before are no measurements.
  void handle_clock_step();
  // True time jumped by this against raw time, by a leap second.
  void handle_leap(Duration step);
  // Raw time was lost, by a suspend: drops all samples and measures anew.
  void handle_time_lost(MonoTime now);
  // See Population.
  void set_saved(std::vector<SampleWindow> windows) { population_.set_saved(std::move(windows)); }
  std::vector<SampleWindow> windows() const { return population_.windows(); }
  // One look of a reference clock's driver; `reading` counts with kAccepted only. What became of
  // it; kNothingNew when there is no such clock.
  RefclockReason handle_refclock(AssociationId id, RefclockReason reason,
                                 const RefclockReading& reading, LocalTime now);
  // TAI less UTC, for the reference clocks that keep TAI; nothing while it is not known.
  void set_tai_offset(std::optional<Duration> offset) { tai_offset_ = offset; }
  // The answer to out.resolves; empty when the look-up failed. Further associations start with the
  // next handle_timer(), which is due at once.
  void handle_addresses(SourceId source, std::span<const IpAddress> addresses, MonoTime now) {
    population_.handle_addresses(source, addresses, now);
  }

  // DNS says that the name has no address, which is more than that a look-up failed.
  void handle_gone(SourceId source, MonoTime now) { population_.handle_gone(source, now); }
  // The answer to out.resolves for a source that finds_services().
  void handle_services(SourceId source, const ServiceAnswer& answer, MonoTime now) {
    services_.handle_answer(population_, source, answer, now);
  }
  // The pools by SRV records.
  std::vector<ServiceReport> services(MonoTime now) const {
    return services_.reports(population_, now);
  }

  // NTS, see Population. Sources with it need set_aeads() before they are added.
  void set_aeads(const AeadMaker& aeads) { population_.set_aeads(aeads); }
  // The answer to out.establishes. What follows comes with the next handle_timer(), which is due at
  // once.
  void handle_establishment(EstablishmentId id, const EstablishmentResult& result, MonoTime now) {
    population_.handle_establishment(id, result, now);
  }
  nts::SavedSessions sessions(MonoTime now, UnixTime clock, std::size_t cookies) const {
    return population_.sessions(now, clock, cookies);
  }
  void set_sessions(nts::SavedSessions saved, MonoTime now, UnixTime clock) {
    population_.set_sessions(std::move(saved), now, clock);
  }
  void set_written(std::size_t cookies) { population_.set_written(cookies); }
  bool owes_write() const { return population_.owes_write(); }
  bool owes_write(AssociationId id) const { return population_.owes_write(id); }
  void lose_written() { population_.lose_written(); }
  std::uint64_t session_changes() const { return population_.session_changes(); }
  void judge_certificates(UnixTime time, MonoTime now, Outbox& out) {
    population_.judge_certificates(time, now, out);
    services_.handle_dates_known(population_, now);
  }
  Duration key_lifetime() const { return population_.config().key_lifetime; }
  const Establishments& establishments() const { return population_.establishments(); }

  // The leap second that is near: sources that smear it, or alone do not, are left out.
  void watch_leap(const std::optional<LeapSecond>& leap) { reference_.watch_leap(leap); }
  // Who we are, so that loops are seen; nobody at first.
  void set_own_identity(OwnIdentity own) {
    population_.set_own(own_endpoints(own));
    reference_.set_own_identity(std::move(own));
  }
  // What peers are told of our own time, and measured by; until it is set, that we have none.
  void set_own_clock(const OwnClock& own) { population_.set_own_clock(own); }
  // Commands of the operator; how many servers each concerned. Offline: not asked, not heard, not
  // used, and not replaced for that.
  std::size_t set_online(const SourceMatch& match, bool online, MonoTime now);
  // Not for those that are offline or asked us to slow down.
  std::size_t begin_burst(const SourceMatch& match, BurstSize size, MonoTime now);

  // CHECKs that there is such a source.
  const std::string& name(SourceId source) const;
  // Nobody answers, or nothing can be sent: nobody is replaced for it.
  bool outage() const { return population_.outage(); }
  const SourceTable& sources() const { return population_.sources(); }
  // What people call a member: a reference clock's name, a server's address.
  std::string title(AssociationId id) const;
  std::vector<SourceReport> reports(MonoTime now) const;
  // What is going to become of one of the reports.
  Prospects prospects(const SourceReport& report, MonoTime now) const;
  Agreement agreement() const { return reference_.agreement(); }
  const SelectionConfig& selection_config() const { return reference_.config(); }
  Tracking tracking(MonoTime now) const { return reference_.tracking(now); }
  // Datagrams of all associations, past ones too.
  std::uint64_t count(ReplyReason reason) const {
    return counts_[static_cast<std::size_t>(reason)];
  }
  // How many samples reference clocks have made; they make them in handle_timer().
  std::uint64_t refclock_samples() const { return refclock_samples_; }
  // The reference clocks by their ids; good until one is added.
  std::vector<std::pair<AssociationId, const Refclock*>> refclocks() const;

 private:
  void report_refclocks(MonoTime now, std::vector<SourceReport>& out) const;
  void end_refclock_poll(Member& member, LocalTime now, Outbox& out);
  void update(LocalTime now, Outbox& out);

  Population population_;
  ServicePools services_;
  Reference reference_;
  std::optional<Duration> tai_offset_;
  std::uint64_t refclock_samples_ = 0;
  std::array<std::uint64_t, kReplyReasonCount> counts_{};
};

}  // namespace timepool::ntp
