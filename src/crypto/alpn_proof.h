// What an authority of ACME judges of a certificate that is to prove a name by TLS-ALPN-01 (RFC
// 8737 3). By OpenSSL.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "crypto/digest.h"

namespace timepool::crypto {

enum class AlpnProof : std::uint8_t {
  kGood,
  kUnreadable,     // no certificate
  kNotSelfSigned,  // somebody else issued it, or its signature does not hold
  kOtherNames,     // not exactly the one name
  kNoIdentifier,   // no id-pe-acmeIdentifier
  kNotCritical,    // the identifier's extension is not critical
  kOtherDigest,    // it is of another key authorization
};
inline constexpr std::size_t kAlpnProofCount = 7;
// "it is for other names", ...; "" for kGood.
std::string_view describe(AlpnProof proof);

// `der`: the certificate. `digest`: the SHA-256 of the key authorization.
AlpnProof judge_alpn_certificate(std::span<const std::byte> der, const std::string& name,
                                 const Sha256& digest);

}  // namespace timepool::crypto
