#include "crypto/jws.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <algorithm>
#include <array>
#include <span>

#include "crypto/dns_key.h"

namespace timepool::crypto {
namespace {

constexpr dnssec::Algorithm kAlgorithm = dnssec::Algorithm::kEcdsaP256Sha256;
constexpr std::array<std::string_view, 3> kMacs = {"HS256", "HS384", "HS512"};

Bytes bytes_of(std::string_view text) {
  return std::as_bytes(std::span(text.data(), text.size()));
}

const EVP_MD* hash_of(JwsMac mac) {
  switch (mac) {
    case JwsMac::kHs256:
      return EVP_sha256();
    case JwsMac::kHs384:
      return EVP_sha384();
    case JwsMac::kHs512:
      return EVP_sha512();
  }
  return nullptr;
}

}  // namespace

Result<JwsKey> JwsKey::generate() {
  return JwsKey(TRY(DnsKey::generate(kAlgorithm)));
}

Result<JwsKey> JwsKey::load(const std::string& path) {
  auto key = TRY(DnsKey::load(path));
  if (key->algorithm() != kAlgorithm) {
    return fail(Error{ErrorCode::kCorrupt, "key file " + path, "not a key of P-256"});
  }
  return JwsKey(std::move(key));
}

Result<void> JwsKey::save(const std::string& path) const {
  return key_->save(path);
}

Bytes JwsKey::point() const {
  return key_->public_key();
}

std::vector<std::byte> JwsKey::sign(std::string_view text) const {
  static_assert(2 * kHalf == dnssec::kSignatureSize);
  std::vector<std::byte> out(2 * kHalf);
  if (!key_->sign(bytes_of(text), std::span<std::byte, 2 * kHalf>(out))) out.clear();
  return out;
}

bool verify_es256(Bytes point, std::string_view text, Bytes signature) {
  if (signature.size() != 2 * JwsKey::kHalf) return false;
  return verify_dns_signature(kAlgorithm, point, bytes_of(text),
                              signature.first<2 * JwsKey::kHalf>());
}

std::string_view name_of(JwsMac mac) {
  return kMacs[static_cast<std::size_t>(mac)];
}

std::optional<JwsMac> parse_jws_mac(std::string_view text) {
  const auto* at = std::find(kMacs.begin(), kMacs.end(), text);
  if (at == kMacs.end()) return std::nullopt;
  return static_cast<JwsMac>(at - kMacs.begin());
}

std::vector<std::byte> jws_mac(JwsMac mac, Bytes key, std::string_view text) {
  std::vector<std::byte> out(EVP_MAX_MD_SIZE);
  unsigned size = 0;
  const unsigned char* made = HMAC(hash_of(mac), key.data(), static_cast<int>(key.size()),
                                   reinterpret_cast<const unsigned char*>(text.data()), text.size(),
                                   reinterpret_cast<unsigned char*>(out.data()), &size);
  out.resize(made == nullptr ? 0 : size);
  return out;
}

}  // namespace timepool::crypto
