#include "net/tls_certificate.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <ctime>
#include <limits>
#include <utility>

#include "base/check.h"
#include "base/civil.h"
#include "base/hex.h"

namespace timepool::net {
namespace {

struct BioDeleter {
  void operator()(BIO* bio) const { BIO_free(bio); }
};
using BioPtr = std::unique_ptr<BIO, BioDeleter>;

// Never asks anybody for a password: a key that needs one is refused.
int no_password(char*, int, int, void*) {
  return -1;
}

Error invalid(const std::string& place, std::string why) {
  ERR_clear_error();
  return {ErrorCode::kInvalid, place, std::move(why)};
}

BioPtr memory(std::string_view text) {
  return BioPtr(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
}

std::string name_text(const X509_NAME* name) {
  const BioPtr out(BIO_new(BIO_s_mem()));
  CHECK(out != nullptr);
  X509_NAME_print_ex(out.get(), name, 0, XN_FLAG_RFC2253);
  char* data = nullptr;
  const long size = BIO_get_mem_data(out.get(), &data);
  return {data, static_cast<std::size_t>(size)};
}

UnixTime time_of(const ASN1_TIME* time) {
  std::tm parts{};
  if (time == nullptr || ASN1_TIME_to_tm(time, &parts) != 1) return {};
  const std::int64_t days = days_of({parts.tm_year + 1900LL, parts.tm_mon + 1, parts.tm_mday});
  const std::int64_t seconds =
      days * kSecondsPerDay + parts.tm_hour * 3600LL + parts.tm_min * 60LL + parts.tm_sec;
  constexpr std::int64_t kMost = std::numeric_limits<std::int64_t>::max() / 1'000'000'000;
  return UnixTime::from_seconds(std::clamp(seconds, -kMost, kMost));
}

bool is_plain(std::string_view name) {
  return !name.empty() &&
         std::all_of(name.begin(), name.end(), [](char c) { return c > ' ' && c < 0x7f; });
}

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return out;
}

std::string_view view(const ASN1_STRING* text) {
  return {reinterpret_cast<const char*>(ASN1_STRING_get0_data(text)),
          static_cast<std::size_t>(ASN1_STRING_length(text))};
}

void add_name(const GENERAL_NAME& name, CertificateInfo& info) {
  if (info.dns_names.size() + info.addresses.size() >= CertificateInfo::kMaxNames) return;
  if (name.type == GEN_DNS) {
    const std::string_view text = view(name.d.dNSName);
    if (is_plain(text)) info.dns_names.push_back(lower(text));
  } else if (name.type == GEN_IPADD) {
    const std::string_view raw = view(name.d.iPAddress);
    if (raw.size() != 4 && raw.size() != 16) return;
    info.addresses.push_back(
        IpAddress::from_bytes(std::as_bytes(std::span(raw.data(), raw.size()))));
  }
}

void add_names(const X509& certificate, CertificateInfo& info) {
  auto* names = static_cast<GENERAL_NAMES*>(
      X509_get_ext_d2i(&certificate, NID_subject_alt_name, nullptr, nullptr));
  if (names == nullptr) return;
  for (int i = 0; i < sk_GENERAL_NAME_num(names); ++i) {
    add_name(*sk_GENERAL_NAME_value(names, i), info);
  }
  GENERAL_NAMES_free(names);
}

KeyHash hash_of_key(const X509& certificate) {
  KeyHash out{};
  unsigned char* der = nullptr;
  const int size = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(&certificate), &der);
  if (size <= 0) return out;
  EVP_Digest(der, static_cast<std::size_t>(size), reinterpret_cast<unsigned char*>(out.data()),
             nullptr, EVP_sha256(), nullptr);
  OPENSSL_free(der);
  return out;
}

std::string key_type_of(const X509& certificate) {
  const EVP_PKEY* key = X509_get0_pubkey(&certificate);
  if (key == nullptr) return "unknown";
  const char* type = EVP_PKEY_get0_type_name(key);
  const std::string name = type == nullptr ? "unknown" : type;
  if (name == "EC") {
    char group[64] = "";
    EVP_PKEY_get_utf8_string_param(key, "group", group, sizeof group, nullptr);
    const std::string_view curve = group;
    return "EC " + std::string(curve == "prime256v1" ? "P-256" : curve);
  }
  if (name.starts_with("RSA")) return name + " " + std::to_string(EVP_PKEY_get_bits(key));
  return name;
}

using CertificatePtr = std::shared_ptr<X509>;

// All certificates of a PEM text, in their order.
Result<std::vector<CertificatePtr>> read_chain(std::string_view text, const std::string& place) {
  std::vector<CertificatePtr> out;
  const BioPtr bio = memory(text);
  CHECK(bio != nullptr);
  ERR_clear_error();
  while (X509* certificate = PEM_read_bio_X509(bio.get(), nullptr, no_password, nullptr)) {
    out.emplace_back(certificate, X509_free);
    if (out.size() > TlsCertificate::kMaxChain) {
      return fail(invalid(
          place, "more than " + std::to_string(TlsCertificate::kMaxChain) + " certificates"));
    }
  }
  // At the end of the text no further one begins; anything else is damage.
  const unsigned long last = ERR_peek_last_error();
  const bool ended =
      ERR_GET_LIB(last) == ERR_LIB_PEM && ERR_GET_REASON(last) == PEM_R_NO_START_LINE;
  if (out.empty()) return fail(invalid(place, "no certificate in PEM"));
  if (!ended) {
    return fail(invalid(place, "certificate " + std::to_string(out.size() + 1) + " is damaged"));
  }
  ERR_clear_error();
  return out;
}

Result<std::shared_ptr<EVP_PKEY>> read_key(std::string_view text, const std::string& place) {
  const BioPtr bio = memory(text);
  CHECK(bio != nullptr);
  EVP_PKEY* key = PEM_read_bio_PrivateKey(bio.get(), nullptr, no_password, nullptr);
  if (key == nullptr) {
    return fail(invalid(place, "no private key in PEM, or one under a password"));
  }
  return std::shared_ptr<EVP_PKEY>(key, EVP_PKEY_free);
}

}  // namespace

Result<KeyHash> parse_key_hash(std::string_view text) {
  std::string digits(text);
  std::erase(digits, ':');
  auto bytes = digits.size() == 64 ? from_hex(digits) : from_base64(text);
  KeyHash out{};
  if (!bytes.ok() || bytes->size() != out.size()) {
    return fail(Error{ErrorCode::kInvalid, "key hash \"" + std::string(text) + "\"",
                      "a SHA-256 is 64 hexadecimal digits or 44 characters of base64"});
  }
  std::copy(bytes->begin(), bytes->end(), out.begin());
  return out;
}

CertificateInfo certificate_info(const x509_st& certificate) {
  CertificateInfo out;
  out.subject = name_text(X509_get_subject_name(&certificate));
  out.issuer = name_text(X509_get_issuer_name(&certificate));
  add_names(certificate, out);
  out.not_before = time_of(X509_get0_notBefore(&certificate));
  out.not_after = time_of(X509_get0_notAfter(&certificate));
  out.chain_not_before = out.not_before;
  out.chain_not_after = out.not_after;
  out.key_hash = hash_of_key(certificate);
  out.key_type = key_type_of(certificate);
  ERR_clear_error();
  return out;
}

bool name_covers(std::string_view certificate_name, std::string_view host) {
  if (!certificate_name.starts_with("*.")) return certificate_name == host;
  const std::size_t dot = host.find('.');
  return dot != std::string_view::npos && dot > 0 && host.substr(dot) == certificate_name.substr(1);
}

Result<TlsCertificate> TlsCertificate::parse(std::string_view chain, std::string_view key,
                                             const std::string& place) {
  const std::vector<CertificatePtr> read = TRY(read_chain(chain, place));
  TlsCertificate out;
  out.leaf_ = read.front();
  out.key_ = TRY(read_key(key, place));
  if (X509_check_private_key(out.leaf_.get(), out.key_.get()) != 1) {
    return fail(invalid(place, "the key is not that of the certificate"));
  }
  out.rest_ = {sk_X509_new_null(), [](STACK_OF(X509) * it) { sk_X509_pop_free(it, X509_free); }};
  CHECK(out.rest_ != nullptr);
  out.info_ = std::make_shared<CertificateInfo>(certificate_info(*out.leaf_));
  out.chain_not_after_ = out.info_->not_after;
  for (std::size_t i = 1; i < read.size(); ++i) {
    if (X509_check_issued(read[i].get(), read[i - 1].get()) != X509_V_OK) {
      return fail(invalid(place, "certificate " + std::to_string(i + 1) +
                                     " is not the issuer of the one before it"));
    }
    X509_up_ref(read[i].get());
    sk_X509_push(out.rest_.get(), read[i].get());
    out.chain_not_after_ =
        std::min(out.chain_not_after_, time_of(X509_get0_notAfter(read[i].get())));
  }
  return out;
}

}  // namespace timepool::net
