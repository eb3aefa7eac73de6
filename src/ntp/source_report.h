// What is told of the sources and of the time that is made from them: `timepool ntp sources` and
// `timepool ntp tracking` as values.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "ntp/candidate.h"
#include "ntp/clock_estimate.h"
#include "ntp/dialogue.h"
#include "ntp/estimator.h"
#include "ntp/local_time.h"
#include "ntp/nts_authenticator.h"
#include "ntp/outbox.h"
#include "ntp/refclock_reading.h"
#include "ntp/source.h"

namespace timepool::ntp {

// As chronyc's letters.
enum class SourceStatus : char {
  kSelected = '*',
  kCombined = '+',
  kNotCombined = '-',
  kFalseticker = 'x',
  kTooVariable = '~',
  kSmeared = 'm',   // it spreads a leap second and the majority does not, or the other way round
  kUnusable = '?',  // no answer, no usable answer, or no majority
};
// "selected", "combined", "not_combined", "falseticker", "too_variable", "smeared", "unusable".
std::string_view name_of(SourceStatus status);
// What `sources` shows of a cause: it is coarser.
SourceStatus status_of(Cause cause);

// What Network Time Security does for an association.
struct NtsReport {
  NtsState state;
  IpAddress key_server;  // with whom its keys were established
  Duration key_age;
  Duration key_lifetime;  // as it is set; each client's own is up to a quarter more or less
  nts::CertificateDates certificate;
  // Key establishments with that server, in this run: since the last began, and since the last that
  // gave keys; and how many were made since the last that led to authenticated time.
  std::optional<Duration> since_attempt;
  std::optional<Duration> since_keys;
  std::uint32_t attempts = 0;
};

// One line of `timepool ntp sources`: an association, or a source that has none yet.
struct SourceReport {
  SourceId source = 0;
  std::string name;  // as configured
  std::string pool;  // whose SRV record has the name; empty: it is configured
  SourceKind kind = SourceKind::kServer;
  AssociationId association = 0;   // 0: none yet
  std::optional<Endpoint> server;  // empty: none yet
  SourceStatus status = SourceStatus::kUnusable;
  // `timepool ntp selectdata`.
  Cause cause = Cause::kNoSamples;
  SelectOptions options;  // with what the policy about authentication adds
  bool authenticated = false;
  std::uint32_t key = 0;         // the symmetric key that it is asked under; 0: none
  double score = 1;              // Candidate::score
  bool nts_required = false;     // it is asked with NTS only
  std::optional<NtsReport> nts;  // of an association with NTS
  std::uint8_t reach = 0;
  std::int8_t poll = 0;
  std::uint32_t unanswered = 0;
  std::uint64_t requests = 0;
  ReplyReason last_reason = ReplyReason::kUnsolicited;
  // Of a reference clock, whose requests are the polls that ended: what its last look gave.
  std::optional<RefclockReason> refclock_reason;
  bool online = true;
  bool in_burst = false;
  bool has_estimate = false;
  Estimate estimate;  // when has_estimate
  Duration age;       // since the latest sample, when has_estimate
  // `timepool ntp ntpdata`: of an association. What came, what of that answered a request, what of
  // that was used; and the last answer, used or not.
  std::uint64_t received = 0;
  std::uint64_t answered = 0;
  std::uint64_t accepted = 0;
  std::optional<Reply> last_answer;
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
  ClockEstimate clock;   // what the sources together said of our clock when last updated
  Duration offset;       // true time less raw time, combined
  Duration uncertainty;  // the most that it is wrong if a majority is honest; grows with age
  Duration root_delay;
  Duration root_dispersion;
  Duration jitter;
  std::size_t survivors = 0;
};

}  // namespace timepool::ntp
