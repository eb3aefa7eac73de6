#include "crypto/csr.h"

#include <gtest/gtest.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <memory>
#include <span>

#include "base/hex.h"

namespace timepool::crypto {
namespace {

// RFC 9773, appendix A.
constexpr std::string_view kRfc9773 =
    "-----BEGIN CERTIFICATE-----\n"
    "MIIBQzCB66ADAgECAgUAh2VDITAKBggqhkjOPQQDAjAVMRMwEQYDVQQDEwpFeGFt\n"
    "cGxlIENBMCIYDzAwMDEwMTAxMDAwMDAwWhgPMDAwMTAxMDEwMDAwMDBaMBYxFDAS\n"
    "BgNVBAMTC2V4YW1wbGUuY29tMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEeBZu\n"
    "7cbpAYNXZLbbh8rNIzuOoqOOtmxA1v7cRm//AwyMwWxyHz4zfwmBhcSrf47NUAFf\n"
    "qzLQ2PPQxdTXREYEnKMjMCEwHwYDVR0jBBgwFoAUaYhba4dGQEHhs3uEe6CuLN4B\n"
    "yNQwCgYIKoZIzj0EAwIDRwAwRAIge09+S5TZAlw5tgtiVvuERV6cT4mfutXIlwTb\n"
    "+FYN/8oCIClDsqBklhB9KAelFiYt9+6FDj3z4KGVelYM5MdsO3pK\n"
    "-----END CERTIFICATE-----\n";

using RequestPtr = std::unique_ptr<X509_REQ, decltype(&X509_REQ_free)>;
using CertificatePtr = std::unique_ptr<X509, decltype(&X509_free)>;
using BioPtr = std::unique_ptr<BIO, decltype(&BIO_free_all)>;

RequestPtr request_of(const std::string& der) {
  const auto* at = reinterpret_cast<const unsigned char*>(der.data());
  return {d2i_X509_REQ(nullptr, &at, static_cast<long>(der.size())), X509_REQ_free};
}

CertificatePtr certificate_of(const std::string& pem) {
  const BioPtr bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())), BIO_free_all);
  return {PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr), X509_free};
}

// "DNS:a, IP Address:192.0.2.1"
std::string printed(X509_EXTENSION* extension) {
  const BioPtr out(BIO_new(BIO_s_mem()), BIO_free_all);
  X509V3_EXT_print(out.get(), extension, 0, 0);
  char* data = nullptr;
  const long size = BIO_get_mem_data(out.get(), &data);
  return {data, static_cast<std::size_t>(size)};
}

TEST(CertificateRequest, A3_has_a_new_P_256_key_and_its_names_in_the_extension_only) {
  const auto made =
      make_certificate_request({"a.example", "b.example"}, {parse_ip("192.0.2.1").value()});
  ASSERT_TRUE(made.ok());
  const RequestPtr request = request_of(made->der);
  ASSERT_NE(request, nullptr);
  EVP_PKEY* key = X509_REQ_get0_pubkey(request.get());
  EXPECT_EQ(X509_REQ_verify(request.get(), key), 1);
  EXPECT_EQ(EVP_PKEY_get_bits(key), 256);
  EXPECT_EQ(X509_NAME_entry_count(X509_REQ_get_subject_name(request.get())), 0);
  STACK_OF(X509_EXTENSION)* extensions = X509_REQ_get_extensions(request.get());
  ASSERT_EQ(sk_X509_EXTENSION_num(extensions), 1);
  EXPECT_EQ(printed(sk_X509_EXTENSION_value(extensions, 0)),
            "DNS:a.example, DNS:b.example, IP Address:192.0.2.1");
  sk_X509_EXTENSION_pop_free(extensions, X509_EXTENSION_free);
  const auto again = make_certificate_request({"a.example"}, {});
  EXPECT_NE(made->key, again->key);
}

TEST(CertificateRequest, without_names_there_is_none) {
  EXPECT_EQ(make_certificate_request({}, {}).error().code, ErrorCode::kInvalid);
}

TEST(AlpnCertificate, A5_has_one_name_and_the_critical_identifier) {
  const std::string proof = "token.thumbprint";
  const Sha256 digest = sha256(std::as_bytes(std::span(proof.data(), proof.size())));
  const UnixTime now = UnixTime::from_seconds(1'800'000'000);
  const auto made = make_alpn_certificate("a.example", digest, now);
  ASSERT_TRUE(made.ok());
  const CertificatePtr certificate = certificate_of(made->certificate);
  ASSERT_NE(certificate, nullptr);
  // RFC 8737 3, 6.1: 1.3.6.1.5.5.7.1.31, critical, OCTET STRING of 32 octets.
  ASN1_OBJECT* kind = OBJ_txt2obj("1.3.6.1.5.5.7.1.31", 1);
  const int at = X509_get_ext_by_OBJ(certificate.get(), kind, -1);
  ASN1_OBJECT_free(kind);
  ASSERT_GE(at, 0);
  X509_EXTENSION* identifier = X509_get_ext(certificate.get(), at);
  EXPECT_EQ(X509_EXTENSION_get_critical(identifier), 1);
  const ASN1_OCTET_STRING* data = X509_EXTENSION_get_data(identifier);
  const std::span value(reinterpret_cast<const std::byte*>(ASN1_STRING_get0_data(data)),
                        static_cast<std::size_t>(ASN1_STRING_length(data)));
  EXPECT_EQ(to_hex(value), "0420" + to_hex(digest));
  const int names = X509_get_ext_by_NID(certificate.get(), NID_subject_alt_name, -1);
  EXPECT_EQ(printed(X509_get_ext(certificate.get(), names)), "DNS:a.example");
  EXPECT_EQ(X509_verify(certificate.get(), X509_get0_pubkey(certificate.get())), 1);
  std::time_t when = now.seconds();
  EXPECT_LT(X509_cmp_time(X509_get0_notBefore(certificate.get()), &when), 0);
  EXPECT_GT(X509_cmp_time(X509_get0_notAfter(certificate.get()), &when), 0);
}

TEST(ServerCertificate, is_for_its_addresses_and_signed_by_itself) {
  const UnixTime now = UnixTime::from_seconds(1'800'000'000);
  const auto made =
      make_server_certificate({IpAddress::v4(0x7f000001)}, Duration::seconds(3600), now);
  ASSERT_TRUE(made.ok());
  const CertificatePtr certificate = certificate_of(made->certificate);
  ASSERT_NE(certificate, nullptr);
  const int names = X509_get_ext_by_NID(certificate.get(), NID_subject_alt_name, -1);
  EXPECT_EQ(printed(X509_get_ext(certificate.get(), names)), "IP Address:127.0.0.1");
  EXPECT_EQ(X509_verify(certificate.get(), X509_get0_pubkey(certificate.get())), 1);
  std::time_t last = now.seconds() + 3599;
  EXPECT_GT(X509_cmp_time(X509_get0_notAfter(certificate.get()), &last), 0);
  last += 2;
  EXPECT_LT(X509_cmp_time(X509_get0_notAfter(certificate.get()), &last), 0);
  EXPECT_EQ(make_server_certificate({}, Duration::seconds(1), now).error().code,
            ErrorCode::kInvalid);
}

TEST(CertificateIdentity, A6_is_that_of_the_example_of_rfc9773) {
  const auto identity = certificate_identity(kRfc9773);
  ASSERT_TRUE(identity.ok());
  EXPECT_EQ(to_hex(identity->authority_key), "69885b6b87464041e1b37b847ba0ae2cde01c8d4");
  EXPECT_EQ(to_hex(identity->serial), "0087654321");
}

TEST(CertificateIdentity, of_no_certificate_there_is_none) {
  EXPECT_EQ(certificate_identity("rubbish").error().code, ErrorCode::kInvalid);
  EXPECT_EQ(certificate_identity("").error().code, ErrorCode::kInvalid);
}

TEST(LastIssuer, is_the_common_name_of_who_signed_the_last) {
  EXPECT_EQ(last_issuer(kRfc9773).value(), "Example CA");
  const auto own = make_alpn_certificate("a.example", {}, UnixTime::from_seconds(1'800'000'000));
  EXPECT_EQ(last_issuer(own->certificate + std::string(kRfc9773)).value(), "Example CA");
  EXPECT_EQ(last_issuer("rubbish").error().code, ErrorCode::kInvalid);
}

}  // namespace
}  // namespace timepool::crypto
