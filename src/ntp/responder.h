// The NTP server: a request in, a reply or a reason out. Pure, without state of its own, so any
// number of threads may call it with one ServerState.
//
// Invariants: a reply is never longer than its request; only a client's request is answered, so two
// servers can't answer each other; each datagram gets exactly one reason.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/byte_reader.h"
#include "base/ip.h"
#include "base/time.h"
#include "ntp/server_state.h"

namespace timepool::ntp {

// Why a datagram was answered or dropped: the metric's label, the log's key, the test's assertion.
enum class Reason : std::uint8_t {
  kAnsweredPlain,           // a request of the header alone
  kAnsweredFieldsIgnored,   // its extension fields are none that we serve
  kAnsweredMacIgnored,      // its MAC, likewise
  kAnsweredUnsynchronised,  // answered with leap 3 and stratum 0, since we have no time
  kTooShort,
  kBadLength,
  kBadVersion,
  kBadField,
  kTooManyFields,
  kBadMac,
  kSourcePortZero,       // cannot be answered
  kModeReserved,         // mode 0 that is not version 1's client
  kModeSymmetricActive,  // B34: peers are configured or dropped
  kModeSymmetricPassive,
  kModeServer,
  kModeBroadcast,
  kModeControl,  // B6: mode 6 is never answered
  kModePrivate,  // nor is mode 7
};
inline constexpr std::size_t kReasonCount = 18;

// "answered_plain", "too_short", "mode_control", ...
std::string_view name_of(Reason reason);
inline bool is_answered(Reason reason) {
  return reason <= Reason::kAnsweredUnsynchronised;
}

enum class Verdict : std::uint8_t { kDrop, kReply };

struct Response {
  Verdict verdict = Verdict::kDrop;
  Reason reason = Reason::kTooShort;
  std::size_t length = 0;  // of the reply; 0 when dropped
};

// How a datagram came.
struct RxInfo {
  UnixTime received;  // by the kernel's timestamp where there is one
  Endpoint client;
  Endpoint local;
};

// Judges `request` and writes the reply into `out` (at least wire::ntp::kHeaderSize octets,
// CHECKed; it may be the request's own buffer). The transmit timestamp is left zero: set_transmit()
// fills it at the last moment before sending.
Response respond(const RxInfo& rx, Bytes request, const ServerState& state, MutableBytes out);

// Fills the transmit timestamp of a reply that respond() wrote with the same state.
void set_transmit(MutableBytes reply, const ServerState& state, UnixTime now);

}  // namespace timepool::ntp
