#include "crypto/ed25519.h"

#include <sodium/core.h>
#include <sodium/crypto_sign_ed25519.h>

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "base/hex.h"
#include "crypto/digest.h"

namespace timepool::crypto {
namespace {

static_assert(crypto_sign_ed25519_BYTES == sizeof(Signature));
static_assert(crypto_sign_ed25519_PUBLICKEYBYTES == sizeof(PublicKey));
static_assert(crypto_sign_ed25519_SEEDBYTES == sizeof(SigningKey::Seed));

const unsigned char* raw(Bytes bytes) {
  return reinterpret_cast<const unsigned char*>(bytes.data());
}
template <std::size_t kSize>
unsigned char* raw(std::array<std::byte, kSize>& bytes) {
  return reinterpret_cast<unsigned char*>(bytes.data());
}

// Lets libsodium choose its fastest code for this processor, once.
void prepare() {
  static const bool ready = ::sodium_init() >= 0;
  CHECK(ready);
}

}  // namespace

Result<PublicKey> parse_public_key(std::string_view hex) {
  const auto bytes = from_hex(hex);
  PublicKey key;
  if (!bytes.ok() || bytes->size() != key.bytes.size()) {
    return fail(Error{ErrorCode::kInvalid, "public key \"" + std::string(hex) + "\"",
                      "an Ed25519 public key is 64 hexadecimal digits"});
  }
  std::copy(bytes->begin(), bytes->end(), key.bytes.begin());
  return key;
}

std::string format(const PublicKey& key) {
  return to_hex(key.bytes);
}

bool verify(const PublicKey& key, Bytes message, const Signature& signature) {
  prepare();
  return ::crypto_sign_ed25519_verify_detached(raw(signature), raw(message), message.size(),
                                               raw(key.bytes)) == 0;
}

SigningKey SigningKey::from_seed(const Seed& seed) {
  prepare();
  SigningKey key;
  CHECK(::crypto_sign_ed25519_seed_keypair(raw(key.public_.bytes), raw(key.secret_), raw(seed)) ==
        0);
  return key;
}

SigningKey::~SigningKey() {
  wipe(secret_);
}

SigningKey::SigningKey(SigningKey&& other) noexcept
    : secret_(other.secret_), public_(other.public_) {
  wipe(other.secret_);
}

SigningKey& SigningKey::operator=(SigningKey&& other) noexcept {
  if (this == &other) return *this;
  secret_ = other.secret_;
  public_ = other.public_;
  wipe(other.secret_);
  return *this;
}

Signature SigningKey::sign(Bytes message) const {
  prepare();
  Signature signature{};
  CHECK(::crypto_sign_ed25519_detached(raw(signature), nullptr, raw(message), message.size(),
                                       raw(secret_)) == 0);
  return signature;
}

}  // namespace timepool::crypto
