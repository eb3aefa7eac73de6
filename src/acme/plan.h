// What a client of ACME does next and when: obtain, renew, ask for renewal information, wait. Pure
// rules over SavedState; random numbers are arguments.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "acme/saved_state.h"
#include "base/time.h"

namespace timepool::acme {

// A9: after the n-th failure in a row, n from 1: 30 s, doubled with each, at most a day; of that
// between a half and three halves by `unit` in [0, 1). Never less than the authority asked for,
// which is believed up to kLongestRetryAfter.
inline constexpr Duration kFirstRetry = Duration::seconds(30);
inline constexpr Duration kLongestRetry = Duration::seconds(86'400);
inline constexpr Duration kLongestRetryAfter = Duration::seconds(7 * 86'400);
Duration retry_wait(std::uint32_t failures, std::optional<Duration> retry_after, double unit);

// Failures in a row after which the next authority of the list gets its turn: their waits come to
// about half an hour. With the next certificate, from whomever it came, it gets one more try first.
inline constexpr std::uint32_t kFailuresOfOne = 6;

// A7: when a certificate is to be renewed if its authority does not say: at two thirds of its
// lifetime, at half of one shorter than ten days; earlier by up to a twentieth of the lifetime by
// `unit` in [0, 1), so that many don't come at once.
UnixTime renewal_by_lifetime(UnixTime not_before, UnixTime not_after, double unit);

// A10: whether somebody should be told that it ends: in its last tenth, or the last day of one
// shorter than ten days.
bool is_expiring(UnixTime not_before, UnixTime not_after, UnixTime now);

struct PlanSettings {
  std::vector<std::string> directories;  // of the authorities in their order; at least one
  std::vector<std::string> names;        // sorted
  std::string profile;
};

enum class Step : std::uint8_t {
  kWait,           // until `at`
  kWaitForClock,   // A11: dates mean nothing before the clock is plausible
  kObtain,         // a certificate from `directory`
  kAskForRenewal,  // the renewal information of the certificate, from `directory`
};
// Why a certificate is obtained.
enum class Cause : std::uint8_t {
  kNone,
  kMissing,    // there is none
  kNames,      // other names are configured
  kAuthority,  // whoever issued it is no longer configured
  kWindow,     // its authority's wish (RFC 9773)
  kLifetime,   // its lifetime
  kAsked,      // a person's wish
};
std::string_view name_of(Cause cause);

struct Plan {
  Step step = Step::kWait;
  UnixTime at;
  std::string directory;
  Cause cause = Cause::kNone;
  bool operator==(const Plan&) const = default;
};

// `clock_plausible`: the clock was set by time that may be believed. `asked`: somebody wants a new
// certificate now; only the authority's Retry-After is heeded then, not our own backoff.
Plan plan(const SavedState& state, const PlanSettings& settings, UnixTime now, bool clock_plausible,
          bool asked = false);

// The id that an order for a renewal at `directory` should name (RFC 9773 5), or "": that authority
// issued the certificate, it is for the same names, and not yet known as replaced.
std::string replaced_id(const SavedState& state, const PlanSettings& settings,
                        std::string_view directory);

// What became of it, noted in the state. `unit` is random in [0, 1).
void note_failure(SavedState& state, std::string_view directory, const Failure& failure,
                  UnixTime now, double unit);
void note_issued(SavedState& state, SavedCertificate certificate, double unit);
void note_renewal(SavedState& state, const std::optional<RenewalWindow>& window, Duration again,
                  UnixTime now, double unit);
// A state that was saved by a clock far off must not stop us for good: what is further in the
// future than a wait can be is cut.
void tame(SavedState& state, UnixTime now);

}  // namespace timepool::acme
