// TlsFault: why a TLS connection came to nothing, as one octet: the metric's label, the log's key
// and the test's assertion. The text that goes with it is for a person.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace timepool::net {

enum class TlsFault : std::uint8_t {
  kNone,
  kNotTls,       // what came is no TLS
  kVersion,      // one side has nothing from TLS 1.3 on
  kAlpn,         // no application protocol in common
  kProtocol,     // a malformed or unexpected message, or no cipher or group in common
  kExpired,      // the certificate, or one that it depends on
  kNotYetValid,  // the same
  kWrongName,    // the certificate is for other names (RFC 6125)
  kSelfSigned,   // the certificate is its own issuer, and not among those that are trusted
  kUntrusted,    // its chain leads to nobody who is trusted
  kPin,          // its key is not one of those that were pinned
  kCertificate,  // anything else that is wrong with it: purpose, signature, constraints
  kAlert,        // the peer gave up with an alert of another kind
  kTruncated,    // the connection ended before TLS did: anybody on the way could do that
  kInternal,     // memory, or our own certificate
};
inline constexpr std::size_t kTlsFaultCount = 15;

// "expired", "wrong_name", ...
std::string_view name_of(TlsFault fault);
// "the certificate has expired", ...
std::string_view describe(TlsFault fault);

// The fault that a number of X509_V_ERR_* is, and the one of an entry of OpenSSL's error queue.
TlsFault fault_of_verification(long code);
TlsFault fault_of_library_error(unsigned long code);

}  // namespace timepool::net
