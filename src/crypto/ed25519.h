// Ed25519 signatures (RFC 8032 5.1), by libsodium: its verification refuses small-order keys and
// signatures that are not in canonical form, so that no second signature of a message passes.
#pragma once

#include <array>
#include <cstddef>
#include <string>
#include <string_view>

#include "base/byte_reader.h"
#include "base/result.h"

namespace timepool::crypto {

using Signature = std::array<std::byte, 64>;

struct PublicKey {
  std::array<std::byte, 32> bytes{};
  bool operator==(const PublicKey&) const = default;
};

// 64 hexadecimal digits, as configuration files hold them. Errors: kInvalid.
Result<PublicKey> parse_public_key(std::string_view hex);
std::string format(const PublicKey& key);

bool verify(const PublicKey& key, Bytes message, const Signature& signature);

// A secret key; wiped when it goes. Not copied, so that there is one place to wipe.
class SigningKey {
 public:
  using Seed = std::array<std::byte, 32>;

  // The key of 32 unpredictable bytes (sys/random.h).
  static SigningKey from_seed(const Seed& seed);
  ~SigningKey();
  SigningKey(SigningKey&& other) noexcept;
  SigningKey& operator=(SigningKey&& other) noexcept;
  SigningKey(const SigningKey&) = delete;
  SigningKey& operator=(const SigningKey&) = delete;

  const PublicKey& public_key() const { return public_; }
  Signature sign(Bytes message) const;

 private:
  SigningKey() = default;
  std::array<std::byte, 64> secret_{};
  PublicKey public_;
};

}  // namespace timepool::crypto
