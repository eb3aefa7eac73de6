#include "crypto/alpn_proof.h"

#include <openssl/err.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <memory>
#include <vector>

namespace timepool::crypto {
namespace {

struct FreeNames {
  void operator()(GENERAL_NAMES* names) const { GENERAL_NAMES_free(names); }
};
using Certificate = std::unique_ptr<X509, void (*)(X509*)>;
using Object = std::unique_ptr<ASN1_OBJECT, void (*)(ASN1_OBJECT*)>;
using Names = std::unique_ptr<GENERAL_NAMES, FreeNames>;

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

bool equal_ignoring_case(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](char x, char y) { return lower(x) == lower(y); });
}

// RFC 8737 3: a dNSName that is the name, and no other entry.
bool is_for_exactly(const X509* certificate, std::string_view name) {
  const Names names(static_cast<GENERAL_NAMES*>(
      X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr)));
  if (!names || sk_GENERAL_NAME_num(names.get()) != 1) return false;
  const GENERAL_NAME* only = sk_GENERAL_NAME_value(names.get(), 0);
  if (only->type != GEN_DNS) return false;
  const auto* text = reinterpret_cast<const char*>(ASN1_STRING_get0_data(only->d.dNSName));
  return equal_ignoring_case({text, static_cast<std::size_t>(ASN1_STRING_length(only->d.dNSName))},
                             name);
}

AlpnProof judge_identifier(const X509* certificate, const Sha256& digest) {
  const Object kind(OBJ_txt2obj("1.3.6.1.5.5.7.1.31", 1), ASN1_OBJECT_free);
  const int at = kind ? X509_get_ext_by_OBJ(certificate, kind.get(), -1) : -1;
  if (at < 0) return AlpnProof::kNoIdentifier;
  X509_EXTENSION* extension = X509_get_ext(certificate, at);
  if (X509_EXTENSION_get_critical(extension) != 1) return AlpnProof::kNotCritical;
  constexpr std::byte kOctetString{0x04};
  std::vector<std::byte> wanted = {kOctetString, static_cast<std::byte>(digest.size())};
  wanted.insert(wanted.end(), digest.begin(), digest.end());
  const ASN1_OCTET_STRING* value = X509_EXTENSION_get_data(extension);
  const bool same = ASN1_STRING_length(value) == static_cast<int>(wanted.size()) &&
                    std::memcmp(ASN1_STRING_get0_data(value), wanted.data(), wanted.size()) == 0;
  return same ? AlpnProof::kGood : AlpnProof::kOtherDigest;
}

AlpnProof judge(X509* certificate, std::string_view name, const Sha256& digest) {
  if (X509_self_signed(certificate, 1) != 1) return AlpnProof::kNotSelfSigned;
  if (!is_for_exactly(certificate, name)) return AlpnProof::kOtherNames;
  return judge_identifier(certificate, digest);
}

}  // namespace

std::string_view describe(AlpnProof proof) {
  constexpr std::array<std::string_view, kAlpnProofCount> kTexts = {
      "",
      "it can't be read",
      "it is not signed by itself",
      "it is not for this name alone",
      "it has no acmeIdentifier",
      "its acmeIdentifier is not critical",
      "its acmeIdentifier is of another proof",
  };
  return kTexts[static_cast<std::size_t>(proof)];
}

AlpnProof judge_alpn_certificate(std::span<const std::byte> der, const std::string& name,
                                 const Sha256& digest) {
  const auto* at = reinterpret_cast<const unsigned char*>(der.data());
  const Certificate certificate(d2i_X509(nullptr, &at, static_cast<long>(der.size())), X509_free);
  const AlpnProof out =
      certificate ? judge(certificate.get(), name, digest) : AlpnProof::kUnreadable;
  ERR_clear_error();
  return out;
}

}  // namespace timepool::crypto
