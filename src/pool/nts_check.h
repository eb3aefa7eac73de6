// What monitors find when they check a server's NTS, and what follows from it: whether the server
// may stand in the pool's SRV records. draft-ladd-nts-for-ntp-pool: a member is listed only after a
// certificate was issued and NTS was seen to work, and leaves when it no longer does.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "base/time.h"

namespace timepool::pool {

// How one check of NTS ended, in the order of its steps: the first step that fails decides.
enum class NtsOutcome : std::uint8_t {
  kOk,
  kWrongAddress,        // the name does not lead to the server's address
  kConnectFailed,       // no TCP connection to the port
  kTlsFailed,           // the handshake failed for a reason that none below is
  kNoAlpn,              // not the protocol "ntske/1" (RFC 8915 4)
  kUntrusted,           // no chain to a known root
  kNameMismatch,        // the certificate is for other names
  kCertificateExpired,  // by the monitor's clock
  kNotYetValid,         // the same
  kKeError,             // an Error record: `code` says which (RFC 8915 4.1.3)
  kKeMalformed,         // an answer that breaks the rules of RFC 8915 4.1
  kTooFewCookies,       // fewer than were asked for
  kNoReply,             // NTP with a cookie was not answered in time
  kNotAuthenticated,    // a reply that its keys do not prove
  kNtsNak,              // kiss of death NTSN: the server does not know its own cookie
  kKiss,                // any other kiss of death
  kWrongTime,           // all is proven, and the time is not right
};
inline constexpr std::size_t kNtsOutcomes = 17;

// "ok", "wrong_address", ...: the word of the API, the page and the metrics.
std::string_view name_of(NtsOutcome outcome);
std::optional<NtsOutcome> nts_outcome_named(std::string_view name);

// Where a server's NTS stands.
enum class NtsState : std::uint8_t {
  kUnnamed,    // it never had a name
  kWaiting,    // it has a name and was not yet confirmed
  kConfirmed,  // enough monitors found it good: it may stand in SRV records
  kFailing,    // enough of them found it bad, twice in a row each
  kRemoved,    // it had a name, which is broken
};
std::string_view name_of(NtsState state);
// What `name_of` gave; kUnnamed for anything else.
NtsState nts_state_named(std::string_view name);

// What one monitor found last.
struct NtsOpinion {
  UnixTime time;
  NtsOutcome last = NtsOutcome::kOk;
  std::uint32_t failures = 0;  // checks that failed since the last good one
};

struct NtsRules {
  // Monitors of which the majority decides, at least; fewer when the pool has fewer.
  std::uint32_t min_monitors = 2;
  // A monitor calls a confirmed server bad after so many failures in a row.
  std::uint32_t max_failures = 2;
  // Older opinions do not count.
  Duration window = Duration::seconds(2700);
};

struct NtsVerdict {
  NtsState state = NtsState::kWaiting;
  // Of kFailing, and of kWaiting after a check: the outcome that most of the unhappy monitors had.
  NtsOutcome reason = NtsOutcome::kOk;
  bool operator==(const NtsVerdict&) const = default;
};

// The state after a check of a server that is in `state`, which is none of kUnnamed and kRemoved:
// confirmed when more than half of the monitors that looked lately, and of those that have to, find
// it good; failing when more than half of those that looked find it bad. In between it stays what
// it was, as it does while no monitor looks.
NtsVerdict judge(NtsState state, std::span<const NtsOpinion> opinions, std::size_t active_monitors,
                 const NtsRules& rules, UnixTime now);

}  // namespace timepool::pool
