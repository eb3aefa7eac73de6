// Certificates for tests: authorities and servers that live as long as the test does. Nothing of it
// is kept anywhere, and nobody who matters trusts it.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/ip.h"
#include "base/time.h"

struct evp_pkey_st;
struct x509_st;

namespace timepool::net::testing {

enum class KeyKind : unsigned char { kP256, kEd25519, kRsa2048, kRsa1024 };

struct CertificateWish {
  std::string common_name = "test";
  std::vector<std::string> dns_names;
  std::vector<IpAddress> addresses;
  UnixTime not_before = UnixTime::from_seconds(1'767'225'600);  // 2026-01-01
  UnixTime not_after = UnixTime::from_seconds(2'082'758'400);   // 2036-01-01
  bool authority = false;
  KeyKind key = KeyKind::kP256;
};

// A certificate and its key; what it signs stays valid when it is gone.
class TestCertificate {
 public:
  // Signed by itself.
  static TestCertificate self_signed(const CertificateWish& wish);
  // An authority with that name.
  static TestCertificate authority(const std::string& name);
  // Signed by this one.
  TestCertificate issue(const CertificateWish& wish) const;

  std::string certificate_pem() const;
  // PKCS#8, without a password.
  std::string key_pem() const;

 private:
  static TestCertificate make(const CertificateWish& wish, const TestCertificate* issuer);

  std::shared_ptr<x509_st> certificate_;
  std::shared_ptr<evp_pkey_st> key_;
};

}  // namespace timepool::net::testing
