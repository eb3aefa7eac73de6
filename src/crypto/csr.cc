#include "crypto/csr.h"

#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <memory>

namespace timepool::crypto {
namespace {

template <class T, void (*kFree)(T*)>
struct Free {
  void operator()(T* it) const { kFree(it); }
};
void free_names(GENERAL_NAMES* names) {
  GENERAL_NAMES_free(names);
}
void free_extensions(STACK_OF(X509_EXTENSION) * list) {
  sk_X509_EXTENSION_pop_free(list, X509_EXTENSION_free);
}
using Key = std::unique_ptr<EVP_PKEY, Free<EVP_PKEY, EVP_PKEY_free>>;
using Bio = std::unique_ptr<BIO, Free<BIO, BIO_free_all>>;
using Request = std::unique_ptr<X509_REQ, Free<X509_REQ, X509_REQ_free>>;
using Certificate = std::unique_ptr<X509, Free<X509, X509_free>>;
using Names = std::unique_ptr<GENERAL_NAMES, Free<GENERAL_NAMES, free_names>>;
using Extension = std::unique_ptr<X509_EXTENSION, Free<X509_EXTENSION, X509_EXTENSION_free>>;
using Extensions =
    std::unique_ptr<STACK_OF(X509_EXTENSION), Free<STACK_OF(X509_EXTENSION), free_extensions>>;
using Object = std::unique_ptr<ASN1_OBJECT, Free<ASN1_OBJECT, ASN1_OBJECT_free>>;
using Octets = std::unique_ptr<ASN1_OCTET_STRING, Free<ASN1_OCTET_STRING, ASN1_OCTET_STRING_free>>;
using Number = std::unique_ptr<BIGNUM, Free<BIGNUM, BN_free>>;

constexpr std::int64_t kDaySeconds = 86'400;
constexpr int kSerialBits = 127;

Error library_error(const std::string& operation) {
  const unsigned long code = ERR_get_error();
  ERR_clear_error();
  const char* why = code == 0 ? nullptr : ERR_reason_error_string(code);
  return Error{ErrorCode::kSystem, operation, why == nullptr ? "OpenSSL failed" : why};
}

bool add_name(GENERAL_NAMES* names, int type, ASN1_STRING* value) {
  GENERAL_NAME* name = GENERAL_NAME_new();
  if (name == nullptr || value == nullptr) {
    GENERAL_NAME_free(name);
    ASN1_STRING_free(value);
    return false;
  }
  GENERAL_NAME_set0_value(name, type, value);
  if (sk_GENERAL_NAME_push(names, name) > 0) return true;
  GENERAL_NAME_free(name);
  return false;
}

ASN1_STRING* string_of(int type, const void* data, std::size_t size) {
  ASN1_STRING* out = ASN1_STRING_type_new(type);
  if (out == nullptr || ASN1_STRING_set(out, data, static_cast<int>(size)) == 1) return out;
  ASN1_STRING_free(out);
  return nullptr;
}

// subjectAltName; critical where the subject is empty (RFC 5280 4.2.1.6).
Extension alternative_names(const std::vector<std::string>& dns_names,
                            const std::vector<IpAddress>& addresses, bool critical) {
  const Names names(sk_GENERAL_NAME_new_null());
  if (!names) return nullptr;
  for (const std::string& name : dns_names) {
    if (!add_name(names.get(), GEN_DNS, string_of(V_ASN1_IA5STRING, name.data(), name.size()))) {
      return nullptr;
    }
  }
  for (const IpAddress& address : addresses) {
    const auto octets = address.bytes();
    if (!add_name(names.get(), GEN_IPADD,
                  string_of(V_ASN1_OCTET_STRING, octets.data(), octets.size()))) {
      return nullptr;
    }
  }
  return Extension(X509V3_EXT_i2d(NID_subject_alt_name, critical ? 1 : 0, names.get()));
}

std::string text_of(BIO* bio) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio, &data);
  return {data, static_cast<std::size_t>(size)};
}

Result<std::string> pem_of(EVP_PKEY* key) {
  const Bio bio(BIO_new(BIO_s_secmem()));
  if (!bio ||
      PEM_write_bio_PKCS8PrivateKey(bio.get(), key, nullptr, nullptr, 0, nullptr, nullptr) != 1) {
    return fail(library_error("write a certificate's key"));
  }
  return text_of(bio.get());
}

// RFC 8737 3: OCTET STRING within the extension's OCTET STRING.
Extension acme_identifier(const Sha256& digest) {
  constexpr unsigned char kOctetString = 0x04;
  std::vector<unsigned char> value = {kOctetString, static_cast<unsigned char>(digest.size())};
  for (const std::byte octet : digest) value.push_back(std::to_integer<unsigned char>(octet));
  const Object kind(OBJ_txt2obj("1.3.6.1.5.5.7.1.31", 1));
  const Octets data(ASN1_OCTET_STRING_new());
  if (!kind || !data ||
      ASN1_OCTET_STRING_set(data.get(), value.data(), static_cast<int>(value.size())) != 1) {
    return nullptr;
  }
  return Extension(X509_EXTENSION_create_by_OBJ(nullptr, kind.get(), 1, data.get()));
}

// Names itself `name` as subject and issuer.
bool fill(X509* certificate, EVP_PKEY* key, const std::string& name, UnixTime now,
          std::int64_t lifetime_seconds) {
  const Number serial(BN_new());
  X509_NAME* subject = X509_get_subject_name(certificate);
  const auto* text = reinterpret_cast<const unsigned char*>(name.data());
  return serial && BN_rand(serial.get(), kSerialBits, BN_RAND_TOP_ANY, BN_RAND_BOTTOM_ANY) == 1 &&
         BN_to_ASN1_INTEGER(serial.get(), X509_get_serialNumber(certificate)) != nullptr &&
         X509_set_version(certificate, X509_VERSION_3) == 1 &&
         X509_NAME_add_entry_by_NID(subject, NID_commonName, MBSTRING_ASC, text,
                                    static_cast<int>(name.size()), -1, 0) == 1 &&
         X509_set_issuer_name(certificate, subject) == 1 &&
         ASN1_TIME_set(X509_getm_notBefore(certificate), now.seconds() - kDaySeconds) != nullptr &&
         ASN1_TIME_set(X509_getm_notAfter(certificate), now.seconds() + lifetime_seconds) !=
             nullptr &&
         X509_set_pubkey(certificate, key) == 1;
}

// Signs it by its own key.
Result<SelfSigned> finish(X509* certificate, EVP_PKEY* key, const std::string& operation) {
  const Bio bio(BIO_new(BIO_s_mem()));
  if (!bio || X509_sign(certificate, key, EVP_sha256()) <= 0 ||
      PEM_write_bio_X509(bio.get(), certificate) != 1) {
    return fail(library_error(operation));
  }
  return SelfSigned{text_of(bio.get()), TRY(pem_of(key))};
}

Result<Certificate> read_certificate(BIO* bio) {
  Certificate out(PEM_read_bio_X509(bio, nullptr, nullptr, nullptr));
  ERR_clear_error();
  if (!out) return fail(Error{ErrorCode::kInvalid, "certificate", "no certificate in PEM"});
  return out;
}

}  // namespace

Result<CertificateRequest> make_certificate_request(const std::vector<std::string>& dns_names,
                                                    const std::vector<IpAddress>& addresses) {
  const std::string operation = "make a certificate request";
  if (dns_names.empty() && addresses.empty()) {
    return fail(Error{ErrorCode::kInvalid, operation, "no names"});
  }
  const Key key(EVP_EC_gen("P-256"));
  const Request request(X509_REQ_new());
  const Extensions extensions(sk_X509_EXTENSION_new_null());
  Extension names = alternative_names(dns_names, addresses, false);
  if (!key || !request || !extensions || !names ||
      sk_X509_EXTENSION_push(extensions.get(), names.get()) <= 0) {
    return fail(library_error(operation));
  }
  static_cast<void>(names.release());
  unsigned char* der = nullptr;
  if (X509_REQ_set_version(request.get(), X509_REQ_VERSION_1) != 1 ||
      X509_REQ_add_extensions(request.get(), extensions.get()) != 1 ||
      X509_REQ_set_pubkey(request.get(), key.get()) != 1 ||
      X509_REQ_sign(request.get(), key.get(), EVP_sha256()) <= 0) {
    return fail(library_error(operation));
  }
  const int size = i2d_X509_REQ(request.get(), &der);
  if (size <= 0) return fail(library_error(operation));
  CertificateRequest out;
  out.der.assign(reinterpret_cast<const char*>(der), static_cast<std::size_t>(size));
  OPENSSL_free(der);
  out.key = TRY(pem_of(key.get()));
  return out;
}

Result<SelfSigned> make_alpn_certificate(const std::string& name, const Sha256& digest,
                                         UnixTime now) {
  const std::string operation = "make a certificate of TLS-ALPN-01";
  const Key key(EVP_EC_gen("P-256"));
  const Certificate certificate(X509_new());
  const Extension names = alternative_names({name}, {}, false);
  const Extension identifier = acme_identifier(digest);
  if (!key || !certificate || !names || !identifier ||
      !fill(certificate.get(), key.get(), "ACME challenge", now, 7 * kDaySeconds) ||
      X509_add_ext(certificate.get(), names.get(), -1) != 1 ||
      X509_add_ext(certificate.get(), identifier.get(), -1) != 1) {
    return fail(library_error(operation));
  }
  return finish(certificate.get(), key.get(), operation);
}

Result<SelfSigned> make_server_certificate(const std::vector<IpAddress>& addresses,
                                           Duration lifetime, UnixTime now) {
  const std::string operation = "make a certificate";
  if (addresses.empty()) return fail(Error{ErrorCode::kInvalid, operation, "no addresses"});
  const Key key(EVP_EC_gen("P-256"));
  const Certificate certificate(X509_new());
  const Extension names = alternative_names({}, addresses, false);
  if (!key || !certificate || !names ||
      !fill(certificate.get(), key.get(), format(addresses.front()), now,
            lifetime.ns() / 1'000'000'000) ||
      X509_add_ext(certificate.get(), names.get(), -1) != 1) {
    return fail(library_error(operation));
  }
  return finish(certificate.get(), key.get(), operation);
}

Result<CertificateIdentity> certificate_identity(std::string_view pem) {
  const Bio bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  const Certificate certificate = TRY(read_certificate(bio.get()));
  CertificateIdentity out;
  if (const ASN1_OCTET_STRING* id = X509_get0_authority_key_id(certificate.get())) {
    const auto* data = reinterpret_cast<const std::byte*>(ASN1_STRING_get0_data(id));
    out.authority_key.assign(data, data + ASN1_STRING_length(id));
  }
  unsigned char* der = nullptr;
  const int size = i2d_ASN1_INTEGER(X509_get0_serialNumber(certificate.get()), &der);
  // Tag and length, of one octet each, stand before it: serial numbers have at most 20 octets
  // (RFC 5280 4.1.2.2).
  constexpr int kHead = 2;
  constexpr int kLongest = 127;
  if (size > kHead && size - kHead <= kLongest) {
    const auto* data = reinterpret_cast<const std::byte*>(der);
    out.serial.assign(data + kHead, data + size);
  }
  OPENSSL_free(der);
  if (out.serial.empty()) {
    return fail(Error{ErrorCode::kInvalid, "certificate", "its serial number can't be read"});
  }
  return out;
}

Result<std::string> last_issuer(std::string_view pem) {
  const Bio bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  Certificate last = TRY(read_certificate(bio.get()));
  for (;;) {
    auto next = read_certificate(bio.get());
    if (!next.ok()) break;
    last = std::move(next).value();
  }
  std::string out(256, '\0');
  const int size = X509_NAME_get_text_by_NID(X509_get_issuer_name(last.get()), NID_commonName,
                                             out.data(), static_cast<int>(out.size()));
  out.resize(size < 0 ? 0 : static_cast<std::size_t>(size));
  return out;
}

}  // namespace timepool::crypto
