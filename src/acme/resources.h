// Orders, authorisations and challenges as an authority shows them (RFC 8555 7.1).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "acme/fault.h"
#include "acme/problem.h"
#include "base/result.h"

namespace timepool::acme {

// Names of one certificate, and so authorisations of one order.
inline constexpr std::size_t kMaxNames = 100;
// Octets of a challenge's token; 128 bits are 22.
inline constexpr std::size_t kMaxToken = 256;

enum class Status : std::uint8_t {
  kPending,
  kReady,
  kProcessing,
  kValid,
  kInvalid,
  kDeactivated,
  kExpired,
  kRevoked,
};
std::string_view name_of(Status status);
std::optional<Status> parse_status(std::string_view text);

// How a name is proved.
enum class ChallengeType : std::uint8_t { kHttp01, kTlsAlpn01 };
// "http-01", "tls-alpn-01".
std::string_view name_of(ChallengeType type);
std::optional<ChallengeType> parse_challenge_type(std::string_view text);

struct Identifier {
  // "dns" (a name in lower case without a final dot) or "ip" (RFC 8738: as RFC 5952 writes it).
  std::string type = "dns";
  std::string value;
  auto operator<=>(const Identifier&) const = default;
};
// Of a name or an address as a person writes it. Errors: kLocal for what is neither, and for
// wildcards, which no challenge here can prove.
Result<Identifier, FailureKind> identifier_of(std::string_view text);

struct Order {
  Status status = Status::kPending;
  std::vector<Identifier> identifiers;  // sorted
  std::vector<std::string> authorizations;
  std::string finalize;
  std::string certificate;  // "" until it is issued
  Problem error;
};

struct OfferedChallenge {
  std::string type;  // "dns-01" too
  std::string url;
  std::string token;  // is_base64url()
  std::string status;
  Problem error;
};

struct Authorization {
  Status status = Status::kPending;
  Identifier identifier;
  std::vector<OfferedChallenge> challenges;  // those with what they need
  static constexpr std::size_t kMaxChallenges = 16;
};

// Errors: kRubbish.
Result<Order, FailureKind> parse_order(std::string_view body);
Result<Authorization, FailureKind> parse_authorization(std::string_view body);

// What proves one name: who serves it needs no more. RFC 8555 8.1, 8.3; RFC 8737 3.
struct Challenge {
  ChallengeType type = ChallengeType::kHttp01;
  Identifier name;
  std::string token;
  std::string key_authorization;  // TOKEN.THUMBPRINT
};

// The certificates of a chain in PEM, one text each, if it is nothing else: 1 to 10 blocks of
// CERTIFICATE (RFC 8555 9.1). Errors: kRubbish.
Result<std::vector<std::string>, FailureKind> split_chain(std::string_view pem);
inline constexpr std::size_t kMaxChain = 10;

}  // namespace timepool::acme
