// Why a datagram was answered as it was, or not at all: exactly one for each. The name is the
// label of the metric, the key in the log and what tests assert.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace timepool::dns {

enum class Reason : std::uint8_t {
  kAnswered,         // records of the type asked for, or a CNAME
  kNoData,           // the name exists, the type does not (SOA in authority)
  kNxDomain,         // no such name in the zone (SOA in authority)
  kAnyMinimal,       // ANY, answered by RFC 8482's HINFO
  kChaos,            // version.bind and its like
  kCookieOnly,       // no question, a cookie (RFC 7873 5.4)
  kTruncated,        // the records don't fit: TC
  kRefusedZone,      // a name outside every zone
  kRefusedClass,     // a class other than IN, CH and ANY, or a CH name that is not served
  kRefusedTransfer,  // AXFR, IXFR
  kNotImpOpcode,     // an opcode other than QUERY
  kNotImpType,       // a meta type
  kBadVersion,       // EDNS version above 0
  kTsig,             // signed with a key (TSIG) that is not known, or wrongly
  kFormErr,          // malformed
  kDroppedShort,     // no header: no answer
  kDroppedResponse,  // a response: no answer
  kDroppedLong,      // more than 65535 bytes: no answer
  kBadCookie,        // BADCOOKIE in place of an answer: a good cookie is wanted first
  kLimitCut,         // over the limit of answers: TC in place of the records
  kLimitDropped,     // over that limit: no answer
  kReferral,         // at or below a delegation: its name servers
  kSignatureLimit,   // too many signatures this second: TC, or SERVFAIL to who is proven
  kSignatureFailed,  // a key did not sign: SERVFAIL
  kTransfer,         // the first message of AXFR or IXFR
  kNotSigned,        // the zone is to be signed and is not yet: SERVFAIL
  kCount
};

inline constexpr std::size_t kReasons = static_cast<std::size_t>(Reason::kCount);

constexpr std::string_view name_of(Reason reason) {
  constexpr std::array<std::string_view, kReasons> kNames{"answered",
                                                          "no_data",
                                                          "nxdomain",
                                                          "any_minimal",
                                                          "chaos",
                                                          "cookie_only",
                                                          "truncated",
                                                          "refused_zone",
                                                          "refused_class",
                                                          "refused_transfer",
                                                          "notimp_opcode",
                                                          "notimp_type",
                                                          "bad_version",
                                                          "tsig",
                                                          "formerr",
                                                          "dropped_short",
                                                          "dropped_response",
                                                          "dropped_long",
                                                          "bad_cookie",
                                                          "limit_cut",
                                                          "limit_dropped",
                                                          "referral",
                                                          "signature_limit",
                                                          "signature_failed",
                                                          "transfer",
                                                          "not_signed"};
  return kNames[static_cast<std::size_t>(reason)];
}

}  // namespace timepool::dns
