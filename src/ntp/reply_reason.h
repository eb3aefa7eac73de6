// ReplyReason: what became of a datagram that came to a client. Exactly one each: the metric's
// label, the log's key, the test's assertion.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "wire/ntp/packet.h"

namespace timepool::ntp {

enum class ReplyReason : std::uint8_t {
  kAccepted,
  // No NTP packet.
  kTooShort,
  kBadLength,
  kBadVersion,
  kBadField,
  kTooManyFields,
  kBadMac,
  // An NTP packet that is no answer to our request. These change nothing.
  kWrongMode,       // not from a server
  kEarlyBroadcast,  // B9: a broadcast that comes sooner than the one before announced
  kWrongVersion,    // above the request's
  kUnsolicited,     // no request is waiting: B8
  kDuplicate,       // the request was answered before: a copy
  kReplayed,        // an earlier request, and that was answered: somebody sends it again
  kLate,            // an earlier request that is not waited for any more
  kWarmUp,          // the answer to a packet that only warmed up the path
  kZeroOrigin,      // B29
  kWrongOrigin,     // B29: off-path forgery
  kCryptoNak,
  kNotAuthentic,
  kReflected,    // a packet of ours to a peer, or a broadcast of ours, that came back
  kPeerUnasked,  // a peer's packet that answers none of ours that waits: it is taken note of
  // A broadcast that we listen for, and that is not used.
  kWrongSender,   // from an address that may not tell us the time, or that no host has
  kNotTaken,      // there is no room for its server, or that is a source already
  kUnmeasurable,  // its server did not answer when it was asked how far it is
  kUncalibrated,  // how far its server is is not known yet
  kImplausible,   // not the time that its server had when it was asked: held back, or set since
  // An answer to our request, without usable time.
  kKissRate,
  kKissRateLong,  // B32: RATE that names a poll above the limit
  kKissDeny,
  kKissRstr,
  kKissOther,
  kZeroTimestamp,      // receive or transmit time missing
  kUnsynchronised,     // leap 3, stratum 0 or above 15
  kFutureReference,    // its reference time is after its transmit time (RFC 5905 A.5.1.1)
  kStaleTimestamp,     // B10: its time is before what it said earlier, or before any possible time
  kTooDistant,         // root distance above the limit
  kTooEarly,           // it came before the request was sent
  kBogusTimes,         // it claims to have worked longer than the exchange took
  kTooDelayed,         // round trip above the limit
  kLocalClockStepped,  // our own clock jumped in between
  kLeapSecond,         // within seconds of a leap, where nobody's time means much
};
inline constexpr std::size_t kReplyReasonCount = 41;

// "accepted", "wrong_origin", "kiss_rate", ...
std::string_view name_of(ReplyReason reason);
ReplyReason reply_reason_of(wire::ntp::PacketError error);
// True for an answer to our request, whether its time is usable or not.
inline bool is_answer(ReplyReason reason) {
  return reason == ReplyReason::kAccepted || reason >= ReplyReason::kKissRate;
}
inline bool is_kiss(ReplyReason reason) {
  return reason >= ReplyReason::kKissRate && reason <= ReplyReason::kKissOther;
}
inline bool is_kiss_rate(ReplyReason reason) {
  return reason == ReplyReason::kKissRate || reason == ReplyReason::kKissRateLong;
}

}  // namespace timepool::ntp
