// TimeClient: the client half of the daemon: gives ntp/timekeeper.h its sockets, its resolver, its
// timer and its clock. Main thread only.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "config/ntpd.h"
#include "crypto/aead.h"
#include "net/reactor.h"
#include "net/resolver.h"
#include "net/resolver_watch.h"
#include "ntp/random_stream.h"
#include "ntp/server/symmetric_key.h"
#include "ntp/timekeeper.h"
#include "ntpd/broadcast_listener.h"
#include "ntpd/client_links.h"
#include "ntpd/clock_record.h"
#include "ntpd/key_source.h"
#include "ntpd/measurement_log.h"
#include "ntpd/refclock_drivers.h"
#include "ntpd/refclock_log.h"
#include "ntpd/rejections.h"
#include "ntpd/sample_record.h"
#include "ntpd/service_lookups.h"
#include "ntpd/session_record.h"
#include "sys/log.h"
#include "sys/network_watch.h"

namespace timepool::ntpd {

// What apply() did.
struct SourceChanges {
  std::size_t added = 0;
  std::size_t changed = 0;
  std::size_t removed = 0;
};

class TimeClient {
 public:
  // `sources`: of the configuration and its directories; `keys`: theirs, null: none.
  static Result<std::unique_ptr<TimeClient>> start(net::Reactor& reactor, sys::Logger& logger,
                                                   const config::NtpdConfig& config, int precision,
                                                   const std::vector<ntp::SourceConfig>& sources,
                                                   std::shared_ptr<const ntp::KeyRing> keys);

  // Where each answer and what follows from it is logged; null: nowhere. It outlives the client.
  void set_log(MeasurementLog* log) { log_ = log; }

  // Leaves the clock at its base rate.
  ~TimeClient();

  // Where this program serves time itself: no source of it.
  void set_served(std::vector<Endpoint> endpoints);

  // What this program announces of the clock: peers are told the same.
  void set_announced(std::function<ntp::ServerState()> announced) {
    announced_ = std::move(announced);
  }

  ntp::LeapKeeper& leap() { return keeper_.leap(); }
  ntp::Timekeeper& keeper() { return keeper_; }
  const ntp::Timekeeper& keeper() const { return keeper_; }
  // Corrects the clock as the sources say now, whatever the rules say. False when there is nothing
  // to correct by.
  bool accept_step();
  // Calls back after every call into the timekeeper that may have changed what is known.
  void on_update(std::function<void()> callback) { on_update_ = std::move(callback); }
  const ntp::SourceSet& sources() const { return keeper_.sources(); }
  const RefclockDrivers& refclocks() const { return refclocks_; }
  std::uint64_t requests_sent() const { return requests_sent_; }
  const Rejections& rejections() const { return rejections_; }
  // The configured sources are these from now on; those that stay keep their measurements, and
  // those that were added by hand stay. What can't be added is logged.
  SourceChanges apply(const std::vector<ntp::SourceConfig>& wanted);
  // Other keys. A source whose own key is another, or gone, is measured anew; the rest goes on.
  void set_keys(std::shared_ptr<const ntp::KeyRing> keys);
  // By hand: until the program ends. Errors name what is wrong.
  Result<void> add_source(const ntp::SourceConfig& config);
  // Also one that is configured: until it is configured anew.
  Result<void> remove_source(const std::string& name);
  // Commands of the operator; how many servers they concerned (ntp/source_match.h).
  std::size_t set_online(const std::string& source, bool online);
  std::size_t begin_burst(const std::string& source, ntp::BurstSize size);
  // Where its last request was sent from; empty when there is no socket now.
  std::optional<Endpoint> local_address(ntp::AssociationId association) const;
  // Requests that the system refused to send: no route, no descriptor.
  std::uint64_t send_failures() const { return send_failures_; }
  // Key establishments by what became of them.
  const KeySource& key_source() const { return key_source_; }
  // Servers of pools by SRV records that were dropped for this reason; kNone: taken.
  std::uint64_t target_notes(ntp::TargetDrop cause) const {
    return target_notes_[static_cast<std::size_t>(cause)];
  }

 private:
  TimeClient(net::Reactor& reactor, sys::Logger& logger, const config::NtpdConfig& config,
             int precision, std::unique_ptr<net::Resolver> resolver,
             std::unique_ptr<ntp::ClockControl> clock, std::optional<ClockRecord> record,
             std::shared_ptr<const ntp::KeyRing> keys);
  // Which key of that number there is now (SymmetricKey::generation); 0: none.
  std::uint64_t generation_of(std::uint32_t key) const;
  void tell_missing_key(const ntp::SourceConfig& source) const;
  std::unique_ptr<ntp::Authenticator> authenticator_of(const ntp::Source& source,
                                                       const IpAddress& address) const;
  void tell_announced();
  void on_timer();
  RawMapping raw_mapping() const;
  ClientLinks::Handlers handlers();
  BroadcastListener::Handlers broadcast_handlers();
  void receive(ntp::AssociationId association, const Arrival& arrival);
  void receive_broadcast(const std::string& name, const Arrival& arrival);
  void note(ntp::ReplyReason reason, const Arrival& arrival, MonoTime now);
  void carry_out(ntp::Outbox& out);
  void send(const ntp::SendAction& action);
  void resolve(ntp::SourceId source);
  void establish(const ntp::EstablishAction& action);
  void on_keys(ntp::EstablishmentId id, const KeyResult& result, Endpoint server,
               nts::DatesJudged judged);
  void find_named(ntp::EstablishmentId id, ntp::EstablishmentResult result);
  net::SignatureDates signature_dates();
  void on_services(ntp::SourceId source, const ntp::ServiceAnswer& answer);
  void on_validated(ntp::SourceId source, const net::AddressLookup& found);
  void note_targets(const ntp::Outbox& out);
  void on_addresses(ntp::SourceId source, const net::LookupResult& result);
  void log_event(const ntp::Event& event);
  void start_refclocks(const std::vector<config::NtpRefclockConfig>& configs);
  void on_refclock(ntp::AssociationId id, const refclock::Look& look);
  void schedule();
  void refresh_identity();
  void watch_network();

  net::Reactor& reactor_;
  sys::Logger& logger_;
  ntp::RandomStream random_;
  std::unique_ptr<ntp::ClockControl> clock_;
  std::optional<ClockRecord> record_;  // of a clock that is steered
  std::optional<SampleRecord> samples_;
  std::shared_ptr<const ntp::KeyRing> keys_;
  crypto::GcryptAeads aeads_;  // outlives the keeper
  ntp::Timekeeper keeper_;
  std::function<ntp::ServerState()> announced_;
  std::vector<ntp::SourceId> configured_;  // the sources that apply() decides about
  std::unique_ptr<net::Resolver> resolver_;
  net::ResolverWatch<net::Resolver> resolver_watch_;
  net::Timer timer_;
  std::function<void()> on_update_;
  net::Timer identity_timer_;
  std::optional<sys::NetworkWatch> network_;
  net::Watch network_watch_;
  ntp::OwnIdentity own_;
  std::vector<IpAddress> other_addresses_;  // the setting own_addresses
  Rejections rejections_;
  MeasurementLog* log_ = nullptr;
  RefclockLog refclock_log_;
  RefclockDrivers refclocks_;
  ClientLinks links_;
  BroadcastListener listener_;
  ServiceLookups services_;
  UnixTime earliest_;  // a time that is over
  std::array<std::uint64_t, ntp::kTargetDropCount> target_notes_{};
  KeySource key_source_;
  std::optional<SessionRecord> sessions_;
  std::vector<ntp::EstablishmentId> unsent_keys_;  // at most kMaxEstablishes
  net::Timer unsent_timer_;
  std::unique_ptr<ntp::Outbox> outbox_ = std::make_unique<ntp::Outbox>();
  std::uint64_t requests_sent_ = 0;
  std::uint64_t send_failures_ = 0;
};

}  // namespace timepool::ntpd
