// Requests for certificates (PKCS#10, RFC 2986), the certificates that prove a name by TLS-ALPN-01
// (RFC 8737) or a server that signs for itself, and what identifies a certificate to its authority
// (RFC 9773). By OpenSSL, in DER and PEM; keys are P-256.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/duration.h"
#include "base/ip.h"
#include "base/result.h"
#include "base/time.h"
#include "crypto/digest.h"

namespace timepool::crypto {

struct CertificateRequest {
  std::string der;
  // The new private key, PKCS#8 in PEM; to be wiped by who takes it.
  std::string key;
};

// With a new key, for these names: all in subjectAltName, the subject is empty. Errors: kInvalid
// without a name; kSystem.
Result<CertificateRequest> make_certificate_request(const std::vector<std::string>& dns_names,
                                                    const std::vector<IpAddress>& addresses);

struct SelfSigned {
  std::string certificate;  // PEM
  std::string key;          // PEM
};

// RFC 8737 3: for one name, with the critical extension id-pe-acmeIdentifier that holds `digest`,
// the SHA-256 of the key authorization; valid a day before and a week after `now`. Errors: kSystem.
Result<SelfSigned> make_alpn_certificate(const std::string& name, const Sha256& digest,
                                         UnixTime now);

// For a server at these addresses that proves itself by nothing but the file that its clients have:
// valid a day before and `lifetime` after `now`. Errors: kInvalid without an address; kSystem.
Result<SelfSigned> make_server_certificate(const std::vector<IpAddress>& addresses,
                                           Duration lifetime, UnixTime now);

struct CertificateIdentity {
  std::vector<std::byte> authority_key;  // the key identifier of its authority; may be empty
  std::vector<std::byte> serial;         // as DER has it, a leading zero octet included
};

// Of the first certificate in `pem`. Errors: kInvalid.
Result<CertificateIdentity> certificate_identity(std::string_view pem);

// Common names of who issued the last certificate of `pem`, "" when it has none: by which a chain
// is chosen (RFC 8555 7.4.2). Errors: kInvalid.
Result<std::string> last_issuer(std::string_view pem);

}  // namespace timepool::crypto
