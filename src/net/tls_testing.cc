#include "net/tls_testing.h"

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <ctime>

#include "base/check.h"

namespace timepool::net::testing {
namespace {

std::shared_ptr<EVP_PKEY> make_key(KeyKind kind) {
  EVP_PKEY* key = nullptr;
  switch (kind) {
    case KeyKind::kP256:
      key = EVP_EC_gen("P-256");
      break;
    case KeyKind::kEd25519:
      key = EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519");
      break;
    case KeyKind::kRsa2048:
      key = EVP_RSA_gen(2048);
      break;
    case KeyKind::kRsa1024:
      key = EVP_RSA_gen(1024);
      break;
  }
  CHECK(key != nullptr);
  return {key, EVP_PKEY_free};
}

void set_time(ASN1_TIME* out, UnixTime time) {
  CHECK(ASN1_TIME_set(out, static_cast<std::time_t>(time.seconds())) != nullptr);
}

void add_extension(X509* certificate, X509* issuer, int kind, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, &context, kind, value.c_str());
  CHECK(extension != nullptr);
  CHECK(X509_add_ext(certificate, extension, -1) == 1);
  X509_EXTENSION_free(extension);
}

std::string alternative_names(const CertificateWish& wish) {
  std::string out;
  for (const std::string& name : wish.dns_names) out += (out.empty() ? "DNS:" : ",DNS:") + name;
  for (const IpAddress& it : wish.addresses) out += (out.empty() ? "IP:" : ",IP:") + format(it);
  return out;
}

std::string text_of(BIO* bio) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio, &data);
  std::string out(data, static_cast<std::size_t>(size));
  BIO_free(bio);
  return out;
}

}  // namespace

TestCertificate TestCertificate::make(const CertificateWish& wish, const TestCertificate* issuer) {
  TestCertificate out;
  out.key_ = make_key(wish.key);
  out.certificate_ = {X509_new(), X509_free};
  X509* it = out.certificate_.get();
  CHECK(it != nullptr);
  X509_set_version(it, X509_VERSION_3);
  std::uint32_t serial = 0;
  CHECK(RAND_bytes(reinterpret_cast<unsigned char*>(&serial), sizeof serial) == 1);
  ASN1_INTEGER_set_uint64(X509_get_serialNumber(it), serial);
  set_time(X509_getm_notBefore(it), wish.not_before);
  set_time(X509_getm_notAfter(it), wish.not_after);
  X509_NAME_add_entry_by_txt(X509_get_subject_name(it), "CN", MBSTRING_UTF8,
                             reinterpret_cast<const unsigned char*>(wish.common_name.c_str()), -1,
                             -1, 0);
  X509* signer = issuer == nullptr ? it : issuer->certificate_.get();
  X509_set_issuer_name(it, X509_get_subject_name(signer));
  X509_set_pubkey(it, out.key_.get());
  add_extension(it, signer, NID_subject_key_identifier, "hash");
  if (wish.authority) {
    add_extension(it, signer, NID_basic_constraints, "critical,CA:TRUE");
    add_extension(it, signer, NID_key_usage, "critical,keyCertSign,cRLSign");
  }
  const std::string names = alternative_names(wish);
  if (!names.empty()) add_extension(it, signer, NID_subject_alt_name, names);
  EVP_PKEY* key = issuer == nullptr ? out.key_.get() : issuer->key_.get();
  const bool has_own_digest = EVP_PKEY_is_a(key, "ED25519") == 1;
  CHECK(X509_sign(it, key, has_own_digest ? nullptr : EVP_sha256()) > 0);
  return out;
}

TestCertificate TestCertificate::self_signed(const CertificateWish& wish) {
  return make(wish, nullptr);
}

TestCertificate TestCertificate::authority(const std::string& name) {
  CertificateWish wish;
  wish.common_name = name;
  wish.authority = true;
  return make(wish, nullptr);
}

TestCertificate TestCertificate::issue(const CertificateWish& wish) const {
  return make(wish, this);
}

std::string TestCertificate::certificate_pem() const {
  BIO* bio = BIO_new(BIO_s_mem());
  CHECK(PEM_write_bio_X509(bio, certificate_.get()) == 1);
  return text_of(bio);
}

std::string TestCertificate::key_pem() const {
  BIO* bio = BIO_new(BIO_s_mem());
  CHECK(PEM_write_bio_PKCS8PrivateKey(bio, key_.get(), nullptr, nullptr, 0, nullptr, nullptr) == 1);
  return text_of(bio);
}

}  // namespace timepool::net::testing
