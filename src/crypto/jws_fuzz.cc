// Any octets as the file of a key that signs: an account's of ACME, a zone's. It is refused with
// what is wrong, or it is a key that proves what it signs, and that reads the same once written
// again. "@" in the input stands for the beginning of a good file, so that its inside is reached.
#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/check.h"
#include "base/hex.h"
#include "crypto/dns_key.h"
#include "crypto/jws.h"

namespace {

using namespace timepool;  // NOLINT: a test program of one file
using namespace timepool::crypto;

// "@" and the octets behind it become PKCS#8 in PEM of those octets.
std::string file_of(std::string_view input) {
  if (!input.starts_with('@')) return std::string(input);
  input.remove_prefix(1);
  return "-----BEGIN PRIVATE KEY-----\n" +
         to_base64(std::as_bytes(std::span(input.data(), input.size()))) +
         "\n-----END PRIVATE KEY-----\n";
}

void check_key(const DnsKey& key) {
  constexpr std::string_view kText = "text";
  const Bytes text = std::as_bytes(std::span(kText));
  std::array<std::byte, dnssec::kSignatureSize> signature{};
  CHECK(key.sign(text, signature));
  CHECK(verify_dns_signature(key.algorithm(), key.public_key(), text, signature));
  if (key.algorithm() == dnssec::Algorithm::kEcdsaP256Sha256) {
    CHECK(key.public_key().size() == 2 * JwsKey::kHalf);
    CHECK(verify_es256(key.public_key(), kText, signature));
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto key = DnsKey::parse(file_of({reinterpret_cast<const char*>(data), size}));
  if (!key.ok()) {
    CHECK(key.error().code == ErrorCode::kCorrupt && !key.error().text().empty());
    return 0;
  }
  check_key(**key);
  const auto again = DnsKey::parse((*key)->pem().value());
  CHECK(again.ok() && (*again)->public_key() == (*key)->public_key());
  return 0;
}
