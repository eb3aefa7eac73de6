// TlsCertificate: a chain of X.509 certificates with the key of the first, as a server shows it;
// and what is to be known of a certificate. Values; the key is shared by copies and never printed.
#pragma once

#include <array>
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/ip.h"
#include "base/result.h"
#include "base/time.h"

// OpenSSL's own, which only src/net/tls_*.cc look into.
struct evp_pkey_st;
struct stack_st_X509;
struct x509_st;

namespace timepool::net {

// SHA-256 of the public key as the certificate has it (SubjectPublicKeyInfo in DER): what is
// pinned, since it stays when the certificate is renewed (RFC 7858 4.2).
using KeyHash = std::array<std::byte, 32>;

// 64 hexadecimal digits, colons between octets allowed, or base64 as in RFC 7858. Errors: kInvalid.
Result<KeyHash> parse_key_hash(std::string_view text);

struct CertificateInfo {
  // "CN=time.example.org, O=Example" (RFC 2253); empty where it names nobody.
  std::string subject;
  std::string issuer;
  // From subjectAltName, in lower case; at most kMaxNames of both together.
  std::vector<std::string> dns_names;
  std::vector<IpAddress> addresses;
  // Dates beyond what UnixTime has are its nearest.
  UnixTime not_before;
  UnixTime not_after;
  // With those above it, as far as they were looked at: the latest beginning, the earliest end.
  UnixTime chain_not_before;
  UnixTime chain_not_after;
  KeyHash key_hash{};
  // "EC P-256", "RSA 2048", "ED25519"
  std::string key_type;

  static constexpr std::size_t kMaxNames = 1000;
  bool valid_at(UnixTime time) const { return not_before <= time && time <= not_after; }
  bool operator==(const CertificateInfo&) const = default;
};

// What `certificate` says.
CertificateInfo certificate_info(const x509_st& certificate);

// Whether a name of a certificate (exact, or "*.example.org" for one label more) is `host`; both in
// lower case without a final dot (RFC 6125 6.4: the star is the whole first label).
bool name_covers(std::string_view certificate_name, std::string_view host);

class TlsCertificate {
 public:
  // A leaf, intermediates, a root.
  static constexpr std::size_t kMaxChain = 10;

  // `chain`: certificates in PEM, each signed by the next. `key`: of the first, in PEM, without a
  // password. Errors: kInvalid, with `place` as the operation, when either can't be read, the key
  // is another one's, or the chain is not in order.
  static Result<TlsCertificate> parse(std::string_view chain, std::string_view key,
                                      const std::string& place);

  const CertificateInfo& info() const { return *info_; }
  x509_st* leaf() const { return leaf_.get(); }
  evp_pkey_st* key() const { return key_.get(); }
  // All but the leaf.
  stack_st_X509* rest() const { return rest_.get(); }
  // The earliest end of any in the chain.
  UnixTime chain_not_after() const { return chain_not_after_; }

 private:
  std::shared_ptr<x509_st> leaf_;
  std::shared_ptr<stack_st_X509> rest_;
  std::shared_ptr<evp_pkey_st> key_;
  std::shared_ptr<const CertificateInfo> info_;
  UnixTime chain_not_after_;
};

}  // namespace timepool::net
