// The ids A are those of the project's checklist of ACME.
#include "crypto/alpn_proof.h"

#include <gtest/gtest.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <functional>
#include <memory>
#include <vector>

#include "crypto/csr.h"

namespace timepool::crypto {
namespace {

constexpr const char* kName = "a.example";
const UnixTime kNow = UnixTime::from_seconds(1'800'000'000);

Sha256 digest_of(std::string_view proof) {
  return sha256(std::as_bytes(std::span(proof.data(), proof.size())));
}

template <class T>
T* read(const std::string& pem, T* (*reader)(BIO*, T**, pem_password_cb*, void*)) {
  BIO* bio = BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size()));
  T* out = reader(bio, nullptr, nullptr, nullptr);
  BIO_free_all(bio);
  return out;
}

// The certificate in DER after `change`, signed by its own key again.
std::vector<std::byte> der_of(const SelfSigned& made, const std::function<void(X509*)>& change) {
  X509* certificate = read(made.certificate, PEM_read_bio_X509);
  EVP_PKEY* key = read(made.key, PEM_read_bio_PrivateKey);
  change(certificate);
  EXPECT_GT(X509_sign(certificate, key, EVP_sha256()), 0);
  unsigned char* der = nullptr;
  const int size = i2d_X509(certificate, &der);
  const auto* data = reinterpret_cast<const std::byte*>(der);
  std::vector<std::byte> out(data, data + size);
  OPENSSL_free(der);
  EVP_PKEY_free(key);
  X509_free(certificate);
  return out;
}

int identifier_at(X509* certificate) {
  ASN1_OBJECT* kind = OBJ_txt2obj("1.3.6.1.5.5.7.1.31", 1);
  const int out = X509_get_ext_by_OBJ(certificate, kind, -1);
  ASN1_OBJECT_free(kind);
  return out;
}

AlpnProof judge(const std::vector<std::byte>& der, const std::string& name = kName) {
  return judge_alpn_certificate(der, name, digest_of("token.print"));
}

class AlpnProofTest : public testing::Test {
 protected:
  const SelfSigned made_ = make_alpn_certificate(kName, digest_of("token.print"), kNow).value();
};

TEST_F(AlpnProofTest, A5_is_good_for_its_name_in_any_case_and_its_proof) {
  const auto der = der_of(made_, [](X509*) {});
  EXPECT_EQ(judge(der), AlpnProof::kGood);
  EXPECT_EQ(judge(der, "A.Example"), AlpnProof::kGood);
  EXPECT_EQ(judge(der, "b.example"), AlpnProof::kOtherNames);
  EXPECT_EQ(judge_alpn_certificate(der, kName, digest_of("token.other")), AlpnProof::kOtherDigest);
}

TEST_F(AlpnProofTest, A5_the_identifier_must_be_there_and_critical) {
  EXPECT_EQ(
      judge(der_of(made_,
                   [](X509* it) { X509_EXTENSION_free(X509_delete_ext(it, identifier_at(it))); })),
      AlpnProof::kNoIdentifier);
  EXPECT_EQ(judge(der_of(made_,
                         [](X509* it) {
                           X509_EXTENSION_set_critical(X509_get_ext(it, identifier_at(it)), 0);
                         })),
            AlpnProof::kNotCritical);
}

TEST_F(AlpnProofTest, A5_no_other_name_may_stand_beside_it) {
  const auto der = der_of(made_, [](X509* it) {
    X509_EXTENSION_free(X509_delete_ext(it, X509_get_ext_by_NID(it, NID_subject_alt_name, -1)));
    X509_EXTENSION* both =
        X509V3_EXT_conf_nid(nullptr, nullptr, NID_subject_alt_name, "DNS:a.example,DNS:b.example");
    X509_add_ext(it, both, -1);
    X509_EXTENSION_free(both);
  });
  EXPECT_EQ(judge(der), AlpnProof::kOtherNames);
  const auto none = der_of(made_, [](X509* it) {
    X509_EXTENSION_free(X509_delete_ext(it, X509_get_ext_by_NID(it, NID_subject_alt_name, -1)));
  });
  EXPECT_EQ(judge(none), AlpnProof::kOtherNames);
}

TEST_F(AlpnProofTest, A5_it_must_be_signed_by_itself_and_be_a_certificate) {
  const SelfSigned other = make_alpn_certificate(kName, digest_of("token.print"), kNow).value();
  EXPECT_EQ(judge(der_of({made_.certificate, other.key}, [](X509*) {})), AlpnProof::kNotSelfSigned);
  auto der = der_of(made_, [](X509*) {});
  der.resize(der.size() / 2);
  EXPECT_EQ(judge(der), AlpnProof::kUnreadable);
  EXPECT_EQ(judge({}), AlpnProof::kUnreadable);
}

}  // namespace
}  // namespace timepool::crypto
