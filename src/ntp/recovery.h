// Recovery: what is done about an NTS server that is silent, refuses our cookies, or has moved: the
// ladder from a cheap probe to another key establishment (docs/adr/0037). Pure judgement; the
// Population does it.
//
// RFC 8915 5.7 lets a client make a key establishment when it has no cookies left, and forbids none
// before; 4.2 bounds how often (nts/retry_schedule.h). What it costs others is bounded besides by
// telling a dead network from a dead server (ntp/outage.h): in the former neither cookies nor key
// establishments are spent.
#pragma once

#include <cstdint>

#include "base/duration.h"
#include "ntp/outage.h"

namespace timepool::ntp {

// After the first request in vain so many more are sent ahead of time, one cookie each.
inline constexpr std::uint32_t kRecoveryProbes = 3;
// This long after each miss, a quarter more or less: with 2 s for each answer the last is a miss 98
// s after the first at the latest. At poll 10 with its sixteenth, a server that moved is noticed
// within 1088 + 2 + 98 = 1188 s, 592 s in the mean.
Duration recovery_probe_after(std::uint32_t misses);
// Requests in a row that were answered by NTSN alone until keys are established anew (NC8).
inline constexpr std::uint32_t kNaksToRenew = 2;
// A server that lost its keys refuses all its clients: they come back spread over this time.
inline constexpr Duration kNakJitter = Duration::seconds(60);
// An address is left, though it answers, when so many look-ups in a row did not have it.
inline constexpr std::uint32_t kUnlistedToMove = 2;

struct RecoveryView {
  std::uint32_t misses = 0;  // requests in a row without an authentic answer
  std::uint32_t naks = 0;    // NtsAuthenticator::naks()
  std::size_t cookies = 0;
  Silence silence = Silence::kWait;  // when misses > 0
  bool outage = false;               // nobody answers, or nothing can be sent
  bool literal = false;              // the source has no name to look up
  bool looked_up = false;            // a look-up succeeded since the silence began
  bool look_up_failed = false;       // one was tried since, and none succeeded
  bool has_other = false;            // an address that is not in use
  bool other_first = true;           // which may be tried before this one again
  bool unlisted = false;             // look-ups do not have it any more; has_other then
  bool fresh_keys = false;           // established since the silence began
  bool old_keys = false;             // established too long ago
};

enum class RecoveryStep : std::uint8_t {
  kNone,                // what is planned anyway
  kProbe,               // ask sooner
  kSpaced,              // ask again, but not sooner than at minpoll
  kLookUp,              // look the name up
  kEstablishHere,       // new keys of the same address
  kEstablishElsewhere,  // keys of another address, and an association beside this one
};
// "none", "probe", ...
std::string_view name_of(RecoveryStep step);

RecoveryStep next_step(const RecoveryView& view);

}  // namespace timepool::ntp
