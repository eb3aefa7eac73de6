// Population: which addresses of the sources are measured. Looks names up, starts an association
// for each address in use, and replaces those that fail (F5 to F7, B30), whose time is of no use
// (F11), or that say only what another says as well (B3). Sources come, change and go at run time.
//
// What it spends is bounded: see ntp/outage.h for what it does when everybody is silent, and
// ntp/source.h for the intervals of look-ups.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "ntp/establishments.h"
#include "ntp/members.h"
#include "ntp/outage.h"
#include "ntp/outbox.h"
#include "ntp/recovery.h"
#include "ntp/saved_samples.h"
#include "ntp/source_table.h"

namespace timepool::ntp {

struct PopulationConfig {
  ExchangeConfig exchange;  // of every association; the version is the source's
  // How many must agree before there is a reference.
  std::size_t min_sources = 1;
  // F11: at most one address that answers is replaced in this time.
  Duration replace_interval = Duration::seconds(1800);
  // F11: this many samples in a row as a falseticker, or unusable answers in a row, make it bad.
  std::uint32_t bad_limit = 8;
  // Keys of NTS are established anew when they are so old; each client a quarter earlier or later.
  Duration key_lifetime = Duration::seconds(28 * 86'400);
};

enum class ChangeError : std::uint8_t {
  kTooMany,   // kMaxSources are there
  kLimits,    // broken_limit() says which
  kTwice,     // there is one with the same kind, name, port and version
  kNotThere,  // no source has this id
  kOther,     // the settings are those of another source
};

class Population {
 public:
  // Makes the authenticator of each new association, for the server at that address.
  using AuthenticatorFactory =
      std::function<std::unique_ptr<Authenticator>(const Source&, const IpAddress&)>;

  Population(const PopulationConfig& config, AuthenticatorFactory factory);

  Result<SourceId, ChangeError> add(const SourceConfig& config, MonoTime now);
  // What only says how the source is used changes at once; its measurements stay.
  Result<void, ChangeError> change(SourceId id, const SourceConfig& config, MonoTime now);
  // Its associations end with it.
  Result<void, ChangeError> remove(SourceId id, MonoTime now);
  // Where this machine serves time itself: those addresses are no sources.
  void set_own(std::vector<Endpoint> own) { own_ = std::move(own); }

  // What peers are told of our own time, and measured by.
  void set_own_clock(const OwnClock& own) { *own_clock_ = own; }

  // The new member's id; nothing when there are kMaxRefclocks, one has that name, or the
  // configuration's limits are not kept.
  std::optional<AssociationId> add_refclock(const RefclockConfig& config, MonoTime now);
  // The answer to a look-up; empty when it failed.
  void handle_addresses(SourceId source, std::span<const IpAddress> addresses, MonoTime now);
  // DNS says that the name has no address.
  void handle_gone(SourceId source, MonoTime now);
  // The kernel's time of sending for the member's latest request.
  void handle_sent(AssociationId id, const TransmitStamp& stamp);
  // The system has no way to the member's network now.
  void handle_send_failure(AssociationId id, MonoTime now);
  // An interface or a route came or went.
  void handle_network_change(MonoTime now);

  // Whose broadcast it is that came where `source` listens: a member, a new one for a server that
  // its key proves, if there is room. Else why it is none of ours.
  Result<AssociationId, ReplyReason> broadcast_member(SourceId source, const Endpoint& from,
                                                      Bytes datagram, MonoTime now,
                                                      RandomStream& random);
  // What became of one that a member took.
  void note_broadcast(SourceId source, Bytes datagram, ReplyReason reason);

  MonoTime next_deadline() const;
  // Asks for look-ups that are due, and starts associations where addresses came.
  void grow(MonoTime now, Outbox& out);
  // After each call to a member's association.
  void observe(Member& member, MonoTime now);
  // A member's server answered, with usable time or without.
  void answered(Member& member, bool usable, MonoTime now, Outbox& out);
  // Notices outages, and replaces whom it must; `survivors` agree now on the time. Moves members.
  void care(MonoTime now, std::size_t survivors, Outbox& out);

  // What computes for NTS; it must outlive the Population. Without, no source with NTS is measured.
  void set_aeads(const AeadMaker& aeads) { aeads_ = &aeads; }
  // The answer to an EstablishAction.
  void handle_establishment(EstablishmentId id, const EstablishmentResult& result, MonoTime now);
  // What is to be done about NTS servers (ntp/recovery.h), and key establishments that are due.
  void recover(MonoTime now, RandomStream& random, Outbox& out);
  // For the next run: sessions of members, each with the newest `cookies`, and of sources that have
  // not come, and the schedules. `clock` is the system clock at `now`.
  nts::SavedSessions sessions(MonoTime now, UnixTime clock, std::size_t cookies) const;
  // Of an earlier run, before its sources are added. They are on the disk.
  void set_sessions(nts::SavedSessions saved, MonoTime now, UnixTime clock);
  // What sessions() gives is on the disk now (ntp/session_saver.h).
  void set_written(std::size_t cookies);
  // A request that waits to be sent holds a cookie that is on the disk.
  bool owes_write() const;
  bool owes_write(AssociationId id) const;
  // The disk can't be changed: what is there is lost, with the requests that owe it.
  void lose_written();
  // Rises whenever sessions() gives what would be missed: other keys, another attempt.
  std::uint64_t session_changes() const { return session_changes_; }
  // The sources agree that it is this time now: keys of servers whose certificates do not hold then
  // are dropped, and established anew (RFC 8915 8.5).
  void judge_certificates(UnixTime time, MonoTime now, Outbox& out);
  const Establishments& establishments() const { return establishments_; }
  // An earlier run left keys of a server with this name, that nobody has taken up.
  bool has_session(std::string_view name, std::uint16_t port) const;
  // Under which the establishments with a source's server at an address are known.
  static nts::KeyServer key_server(const Source& source, const IpAddress& address);

  // Samples of an earlier run, in the raw time of this one, for the sources whose they are, now or
  // when they come.
  void set_saved(std::vector<SampleWindow> windows);
  // What such a run finds: of the members and of sources that have not come.
  std::vector<SampleWindow> windows() const;
  // Raw time was lost, or true time jumped against it: what waits is worth nothing.
  void forget_saved() { saved_.clear(); }

  bool outage() const { return outage_.on(); }
  // How many requests in vain make this one fail; 0 is never. It must be an association.
  std::uint32_t patience_with(const Member& member) const;
  // No server that answers is replaced before this has passed.
  Duration replacements_rest(MonoTime now) const;
  // Of an association with NTS: what is to be said of its silence now; and whether its time is of
  // no use (F11). For who replaces whole sources.
  bool is_dead(const Member& member, MonoTime now) const;
  bool is_useless(const Member& member) const;
  // F11: at a bounded rate, and only while enough others remain.
  bool may_replace_bad(MonoTime now, std::size_t others) const;
  // Whether sources may take addresses with the next grow().
  bool fill_waits(MonoTime now) const { return fill_due_ <= now; }
  void note_replacement(MonoTime now) { last_replacement_ = now; }
  const PopulationConfig& config() const { return config_; }
  const SourceTable& sources() const { return sources_; }
  SourceTable& sources() { return sources_; }
  const Members& members() const { return members_; }
  Members& members() { return members_; }

 private:
  struct Loss {
    DropCause cause = DropCause::kNone;
    bool needs_good = false;  // it stays unless there is a good address for it
  };

  void resolve(MonoTime now, Outbox& out);
  void fill(Source& source, MonoTime now);
  void trim(Source& source, MonoTime now);
  void start_association(Source& source, const IpAddress& address, MonoTime now);
  void start_association(Source& source, const Endpoint& server, MonoTime first, MonoTime now);
  std::optional<ReplyReason> fault_of_sender(const Source& source, const Endpoint& from) const;
  std::optional<ReplyReason> lack_of_room(const Source& source, const Endpoint& from,
                                          MonoTime now) const;
  Member& start_association(Source& source, const Endpoint& server,
                            std::unique_ptr<Authenticator> authenticator, MonoTime first);
  void fill_with_keys(Source& source, MonoTime now);
  Member& start_session(Source& source, const IpAddress& address, const EstablishmentResult& result,
                        MonoTime established, MonoTime now);
  bool resume_session(Source& source, MonoTime now);
  void want_keys(const Source& source, const IpAddress& address);
  bool want_beside(const Member& member, Source& source, const IpAddress& address, DropCause cause);
  bool may_serve(const Source& source, const Endpoint& server) const;
  void handle_no_keys(Source& source, const EstablishmentWish& wish, MonoTime now);
  void handle_keys(Source& source, const EstablishmentWish& wish, const EstablishmentResult& result,
                   MonoTime now);
  void renew(Member& member, const EstablishmentResult& result, MonoTime now);
  void refuse_certificate(AssociationId id, MonoTime now, Outbox& out);
  void settle_beside(MonoTime now, Outbox& out);
  void take_place(AssociationId id, MonoTime now, Outbox& out);
  void drop_beside(AssociationId id, DropCause cause, MonoTime now);
  RecoveryView view_of(const Member& member, const Source& source,
                       const std::optional<IpAddress>& other, MonoTime now) const;
  bool may_establish(const nts::KeyServer& server, MonoTime now);
  void recover(Member& member, MonoTime now, RandomStream& random);
  std::optional<IpAddress> next_address(const Source& source, const Member* instead_of,
                                        bool only_good, MonoTime now) const;
  static SampleWindow identity_of(const Member& member);
  void resume(Member& member);
  static ServerIdentity beside_of(const Member& member);
  std::vector<ServerIdentity> beside(const Member* without) const;

  SilenceCount silence() const;
  std::size_t others_known(const Member& member) const;
  double usual_loss(const Member& member) const;
  void call_witness(MonoTime now);
  void probe_in_outage(MonoTime now);
  void end_outage(MonoTime now);

  void drop_gone(MonoTime now);
  void replace_failed(MonoTime now, std::size_t survivors, Outbox& out);
  void replace_redundant(MonoTime now, std::size_t survivors, Outbox& out);
  void replace_contested(MonoTime now, std::size_t survivors, Outbox& out);
  // Why it must go, if it must.
  std::optional<Loss> loss_of(const Member& member, const Source& source, MonoTime now,
                              std::size_t survivors) const;
  bool lacks_route(const IpAddress& address, MonoTime now) const;
  bool is_silent(const Member& member) const;
  // False when the member stays, for lack of room in the Outbox.
  bool replace(AssociationId id, const IpAddress& address, DropCause cause, MonoTime now,
               Outbox& out);
  // The member is gone; its socket is closed by the next Outbox with room.
  void end(AssociationId id);
  void flush_closes(Outbox& out);

  PopulationConfig config_;
  AuthenticatorFactory factory_;
  SourceTable sources_;
  Members members_;
  std::vector<SampleWindow> saved_;
  Outage outage_;
  std::vector<Endpoint> own_;
  std::shared_ptr<OwnClock> own_clock_ = std::make_shared<OwnClock>();  // associations read it
  const AeadMaker* aeads_ = nullptr;
  Establishments establishments_;
  // Sessions of an earlier run that no source has taken up.
  std::vector<nts::SavedSession> saved_sessions_;
  std::uint64_t session_changes_ = 0;
  MonoTime clock_read_;  // when the system clock read `clock_`
  UnixTime clock_;
  std::vector<AssociationId> closes_;  // bounded by flush_closes(): at most one for each member
  AssociationId next_id_ = 1;
  std::optional<MonoTime> last_replacement_;
  std::optional<MonoTime> no_majority_since_;
  std::optional<MonoTime> no_route_v4_;
  std::optional<MonoTime> no_route_v6_;
  std::optional<MonoTime> last_change_;
  bool tell_outage_over_ = false;
  MonoTime change_due_ = MonoTime::max();
  MonoTime fill_due_ = MonoTime::max();
  MonoTime recovery_due_ = MonoTime::max();
  MonoTime next_witness_;
  MonoTime witness_due_ = MonoTime::max();  // when one is wanted and may be called
  MonoTime next_probe_ = MonoTime::max();
  AssociationId last_probed_ = 0;
};

}  // namespace timepool::ntp
