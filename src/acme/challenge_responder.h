// What an HTTP server of ours answers on port 80: the proof of our names to an authority (RFC 8555
// 8.3), and nothing else, so that nobody who reaches us by a pool's name gets anything that could
// be a page of the pool (LM3). Octets of a request in, octets of the answer out, one reason.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "acme/resources.h"

namespace timepool::acme {

// What is proved now. A value: who serves it replaces it whole.
struct LiveChallenges {
  // Our names in lower case without a final dot, addresses as RFC 5952 has them.
  std::vector<std::string> names;
  // By token: what is answered, and for whom.
  struct Proof {
    std::string name;
    std::string key_authorization;
  };
  std::map<std::string, Proof, std::less<>> proofs;
};

enum class ChallengeReason : std::uint8_t {
  kServed,       // 200
  kMalformed,    // 400: no request of HTTP/1
  kNoHost,       // 400: RFC 9112 3.2: none, several, or one that is no host
  kForeignHost,  // 421: not a name of ours
  kNotFound,     // 404: not the path of a live token of that name
  kMethod,       // 404: neither GET nor HEAD; nothing here takes anything
  kTooLong,      // 431
};
inline constexpr std::size_t kChallengeReasonCount = 7;
std::string_view name_of(ChallengeReason reason);
int status_of(ChallengeReason reason);

// Octets of a request's line and fields.
inline constexpr std::size_t kMaxRequestHead = 8192;
inline constexpr std::string_view kChallengePath = "/.well-known/acme-challenge/";

struct ChallengeAnswer {
  ChallengeReason reason = ChallengeReason::kMalformed;
  // The whole response. It has no cookie, no redirect, and nothing of the request.
  std::string octets;
};

// `head`: the request line and the fields, without the empty line; longer than kMaxRequestHead is
// kTooLong.
ChallengeAnswer answer_challenge(std::string_view head, const LiveChallenges& live);

// The host of a Host field or authority: lower case, without port and final dot; "" when it is
// none.
std::string host_of(std::string_view authority);

}  // namespace timepool::acme
