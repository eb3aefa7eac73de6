// Why the server answered or dropped a datagram: the metric's label, the log's key, the test's
// assertion. Each datagram gets exactly one.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace timepool::ntp {

enum class Reason : std::uint8_t {
  kAnsweredPlain,           // a request of the header alone
  kAnsweredInterleaved,     // in interleaved mode (RFC 9769)
  kAnsweredKeyed,           // under a key of ours, in either mode
  kAnsweredNts,             // under NTS (RFC 8915), in either mode
  kAnsweredFieldsIgnored,   // its extension fields are none that we serve
  kAnsweredMacIgnored,      // we have no keys at all
  kAnsweredUnsynchronised,  // answered with leap 3 and stratum 0, since we have no time
  kTooShort,
  kBadLength,
  kBadVersion,
  kBadField,
  kTooManyFields,
  kBadMac,
  kUnknownKey,           // its MAC is under a key that we don't have
  kKeyNotAllowed,        // the key's address list does not have the sender
  kBadDigest,            // its MAC is wrong
  kSourcePortZero,       // cannot be answered
  kSourceAddress,        // nor can one that no host has, or a request in our own name
  kModeReserved,         // mode 0 that is not version 1's client
  kModeSymmetricActive,  // B34: peers are configured or dropped
  kModeSymmetricPassive,
  kModeServer,
  kModeBroadcast,
  kModeControl,    // B6: mode 6 is never answered
  kModePrivate,    // nor is mode 7
  kDenied,         // by the access list
  kRateLimited,    // B31: too many requests
  kRateKod,        // likewise, and the client was told so by a RATE packet
  kNtsMalformed,   // its fields break RFC 8915
  kNtsNak,         // its cookie or its proof is wrong, and the client was told so by an NTSN packet
  kNtsNakLimited,  // likewise, and too many were told so before
  kNotSent,        // the system refused to send the reply: no route, a broadcast address
};
inline constexpr std::size_t kReasonCount = 32;

// "answered_plain", "too_short", "mode_control", ...
std::string_view name_of(Reason reason);
inline bool is_answered(Reason reason) {
  return reason <= Reason::kAnsweredUnsynchronised;
}
// The client was answered by a kiss-o'-death (RFC 5905 7.4).
inline bool is_kiss(Reason reason) {
  return reason == Reason::kRateKod || reason == Reason::kNtsNak;
}

}  // namespace timepool::ntp
