// SourceSet: the client as a whole. Names become addresses, addresses become associations, failed
// ones are replaced, and from those that answer the time is made: which servers agree, who lies,
// and by how much the local clock is off. It observes; nothing here touches a clock.
//
// The caller: does what the Outbox says after every call; calls handle_timer() when next_deadline()
// has come; hands in datagrams with the association whose socket they came to. One thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "ntp/association.h"
#include "ntp/local_time.h"
#include "ntp/outbox.h"
#include "ntp/selection.h"
#include "ntp/source.h"

namespace timepool::ntp {

// 16 sources of 4 addresses; add() refuses more.
inline constexpr std::size_t kMaxSources = 16;

struct SourceSetConfig {
  ExchangeConfig exchange;  // of every association; the version is the source's
  // How many must agree before there is a reference.
  std::size_t min_sources = 1;
  // F11: at most one bad but answering address is replaced in this time.
  Duration replace_interval = Duration::seconds(1800);
  // F11: this many samples in a row as a falseticker, or unusable answers in a row, make it bad.
  std::uint32_t bad_limit = 8;
};

// As chronyc's letters.
enum class SourceStatus : char {
  kSelected = '*',
  kCombined = '+',
  kNotCombined = '-',
  kFalseticker = 'x',
  kUnusable = '?',  // no answer, no usable answer, or no majority
};
// "selected", "combined", "not_combined", "falseticker", "unusable".
std::string_view name_of(SourceStatus status);

// One line of `timepool ntp sources`: an association, or a source that has none yet.
struct SourceReport {
  SourceId source = 0;
  std::string name;  // as configured
  SourceKind kind = SourceKind::kServer;
  AssociationId association = 0;   // 0: none yet
  std::optional<Endpoint> server;  // empty: none yet
  SourceStatus status = SourceStatus::kUnusable;
  std::uint8_t reach = 0;
  std::int8_t poll = 0;
  std::uint32_t unanswered = 0;
  std::uint64_t requests = 0;
  ReplyReason last_reason = ReplyReason::kUnsolicited;
  bool has_estimate = false;
  Estimate estimate;  // when has_estimate
  Duration age;       // since the latest sample, when has_estimate
};

// `timepool ntp tracking`.
struct Tracking {
  bool synchronised = false;      // there is a reference now; else the rest is the last known
  AssociationId association = 0;  // the reference; 0: never had one
  Endpoint server;
  wire::ntp::Leap leap = wire::ntp::Leap::kUnsynchronised;  // of the majority of those who agree
  std::uint8_t stratum = wire::ntp::kMaxStratum;            // the reference's and one
  wire::ntp::ReferenceId reference_id;  // the reference's IPv4 address; zero for IPv6
  LocalTime updated;
  Duration offset;       // true time less the local clock's, combined
  Duration uncertainty;  // the most that it is wrong if a majority is honest; grows with age
  Duration root_delay;
  Duration root_dispersion;
  Duration jitter;
  std::size_t survivors = 0;
};

class SourceSet {
 public:
  // Makes the authenticator of each new association.
  using AuthenticatorFactory = std::function<std::unique_ptr<Authenticator>(const Source&)>;

  explicit SourceSet(const SourceSetConfig& config, AuthenticatorFactory factory = {});

  // False when there are kMaxSources, or the configuration's limits are not kept.
  [[nodiscard]] bool add(const SourceConfig& config, MonoTime now);

  MonoTime next_deadline() const;
  void handle_timer(LocalTime now, RandomStream& random, Outbox& out);
  // The reason for the datagram; kUnsolicited when the association is gone.
  ReplyReason handle_datagram(AssociationId association, const ReplyRx& rx, Bytes datagram,
                              RandomStream& random, Outbox& out);
  void handle_transmit_timestamp(AssociationId association, UnixTime sent);
  // The answer to out.resolves; empty when the look-up failed. Further associations start with the
  // next handle_timer(), which is due at once.
  void handle_addresses(SourceId source, std::span<const IpAddress> addresses, MonoTime now);

  const std::string& name(SourceId source) const;
  std::vector<SourceReport> reports(MonoTime now) const;
  Tracking tracking(MonoTime now) const;
  // Datagrams of all associations, past ones too.
  std::uint64_t count(ReplyReason reason) const {
    return counts_[static_cast<std::size_t>(reason)];
  }

 private:
  struct Member {
    Member(SourceId of, std::unique_ptr<Association> made)
        : source(of), association(std::move(made)) {}
    SourceId source;
    std::unique_ptr<Association> association;
    SourceStatus status = SourceStatus::kUnusable;
    std::uint32_t samples_as_falseticker = 0;
  };

  Member* find(AssociationId id);
  bool in_use(const Endpoint& server) const;
  std::size_t members_of(SourceId source) const;

  void notice_step(LocalTime now, Outbox& out);
  void resolve(MonoTime now, Outbox& out);
  void fill(Source& source, MonoTime now);
  bool start_association(Source& source, const IpAddress& address, MonoTime now);
  void replace_failed(MonoTime now, Outbox& out);
  // The two reasons to replace a member: it does not answer, or what it answers is of no use.
  bool has_failed(const Member& member) const;
  bool is_bad(const Member& member) const;
  bool may_replace_bad(MonoTime now) const;
  void replace(std::size_t index, const IpAddress& address, MonoTime now, Outbox& out);
  void update_selection(LocalTime now, Outbox& out);
  void set_status(Member& member, SourceStatus status, Outbox& out);
  void take_reference(const Selection& selection, std::span<const std::size_t> members,
                      LocalTime now, Outbox& out);

  SourceSetConfig config_;
  AuthenticatorFactory factory_;
  std::vector<Source> sources_;
  std::vector<Member> members_;
  AssociationId next_id_ = 1;
  std::optional<LocalTime> last_seen_;
  std::optional<MonoTime> last_replacement_;
  MonoTime fill_due_ = MonoTime::max();
  Tracking tracking_;
  std::array<std::uint64_t, kReplyReasonCount> counts_{};
};

}  // namespace timepool::ntp
