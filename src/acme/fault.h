// Why something with an authority failed: as a kind, by which it is decided what to do next, and in
// words for a person.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/duration.h"

namespace timepool::acme {

enum class FailureKind : std::uint8_t {
  kUnreachable,      // no connection, TLS does not verify, timed out, or the server failed (5xx)
  kRubbish,          // what came is not what the protocol has
  kRateLimited,      // the authority wants us to wait
  kNonces,           // it refused one nonce after the other
  kAccount,          // the account is unknown, deactivated, or its key is not accepted
  kExternalAccount,  // it wants an external account, and there is none or a wrong one
  kTerms,            // somebody must agree to something
  kProfile,          // it does not have the profile that is asked for
  kChallenge,        // it could not see what proves the name
  kCaa,              // a CAA record forbids it
  kRefused,          // anything else that it refuses
  kStuck,            // validation or issuance did not end in time
  kCertificate,      // what it issued is not what was asked for
  kLocal,            // our own: a signature, a file, a socket
};
inline constexpr std::size_t kFailureKindCount = 14;
// "unreachable", "rubbish", "rate_limited", ...: for logs, metrics and saved state.
std::string_view name_of(FailureKind kind);
std::optional<FailureKind> parse_failure_kind(std::string_view text);

struct Failure {
  FailureKind kind = FailureKind::kLocal;
  // One line for a person: what was tried, and what the authority said.
  std::string text;
  // The authority's own wish; there may be one with any kind.
  std::optional<Duration> retry_after;
  bool operator==(const Failure&) const = default;
};

}  // namespace timepool::acme
