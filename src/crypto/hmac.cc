#include "crypto/hmac.h"

#include <sodium/crypto_auth_hmacsha256.h>
#include <sodium/crypto_auth_hmacsha512.h>
#include <sodium/utils.h>

#include <algorithm>
#include <array>

#include "base/check.h"
#include "crypto/digest.h"

namespace timepool::crypto {
namespace {

const unsigned char* raw(Bytes bytes) {
  return reinterpret_cast<const unsigned char*>(bytes.data());
}

// The state behind the key, copied for each message.
template <class State, std::size_t kSize, auto Init, auto Update, auto Final>
class Hmac : public Mac {
 public:
  explicit Hmac(Bytes secret) { Init(&keyed_, raw(secret), secret.size()); }
  ~Hmac() override { ::sodium_memzero(&keyed_, sizeof keyed_); }
  Hmac(const Hmac&) = delete;
  Hmac& operator=(const Hmac&) = delete;

  std::size_t size() const override { return kSize; }
  void sign(Bytes message, MutableBytes digest) const override {
    CHECK(digest.size() <= kSize);
    const auto whole = whole_digest(message);
    std::copy_n(whole.begin(), digest.size(), digest.begin());
  }
  bool verify(Bytes message, Bytes digest) const override {
    if (digest.empty() || digest.size() > kSize) return false;
    const auto whole = whole_digest(message);
    return equal_constant_time(Bytes(whole).first(digest.size()), digest);
  }

 private:
  std::array<std::byte, kSize> whole_digest(Bytes message) const {
    State state = keyed_;
    Update(&state, raw(message), message.size());
    std::array<std::byte, kSize> out;
    Final(&state, reinterpret_cast<unsigned char*>(out.data()));
    ::sodium_memzero(&state, sizeof state);
    return out;
  }

  State keyed_;
};

using Sha256Mac = Hmac<::crypto_auth_hmacsha256_state, 32, ::crypto_auth_hmacsha256_init,
                       ::crypto_auth_hmacsha256_update, ::crypto_auth_hmacsha256_final>;
using Sha512Mac = Hmac<::crypto_auth_hmacsha512_state, 64, ::crypto_auth_hmacsha512_init,
                       ::crypto_auth_hmacsha512_update, ::crypto_auth_hmacsha512_final>;

}  // namespace

std::unique_ptr<const Mac> make_hmac(HmacHash hash, Bytes secret) {
  if (hash == HmacHash::kSha256) return std::make_unique<Sha256Mac>(secret);
  return std::make_unique<Sha512Mac>(secret);
}

}  // namespace timepool::crypto
