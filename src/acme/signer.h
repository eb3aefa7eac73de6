// What signs for an ACME client. The cores are pure: crypto/jws.h makes keys, and who joins the two
// gives the machines one of these.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/byte_reader.h"

namespace timepool::acme {

class Signer {
 public:
  virtual ~Signer() = default;
  // As a JWS names it: "ES256"; "HS256", "HS384", "HS512" for external accounts (RFC 7518 3.1).
  virtual std::string_view algorithm() const = 0;
  // The signature as JWS has it: of ES256 r and s, 32 octets each (RFC 7518 3.4). Empty when the
  // library fails.
  virtual std::vector<std::byte> sign(std::string_view text) const = 0;
};

// The key of an account.
class AccountKey : public Signer {
 public:
  // The public key as JSON, in the one form that thumbprints are made of: the required members in
  // alphabetic order without white space (RFC 7638 3).
  virtual const std::string& jwk() const = 0;
  // SHA-256 of jwk(), in base64url (RFC 8555 8.1).
  virtual const std::string& thumbprint() const = 0;
};

}  // namespace timepool::acme
