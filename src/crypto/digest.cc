#include "crypto/digest.h"

#include <sodium/crypto_auth_hmacsha256.h>
#include <sodium/crypto_hash_sha256.h>
#include <sodium/utils.h>

namespace timepool::crypto {
namespace {

const unsigned char* raw(Bytes bytes) {
  return reinterpret_cast<const unsigned char*>(bytes.data());
}
unsigned char* raw(Sha256& bytes) {
  return reinterpret_cast<unsigned char*>(bytes.data());
}

}  // namespace

Sha256 sha256(Bytes message) {
  Sha256 out{};
  ::crypto_hash_sha256(raw(out), raw(message), message.size());
  return out;
}

Sha256 hmac_sha256(Bytes key, Bytes message) {
  Sha256 out{};
  ::crypto_auth_hmacsha256_state state;
  ::crypto_auth_hmacsha256_init(&state, raw(key), key.size());
  ::crypto_auth_hmacsha256_update(&state, raw(message), message.size());
  ::crypto_auth_hmacsha256_final(&state, raw(out));
  ::sodium_memzero(&state, sizeof state);
  return out;
}

bool equal_constant_time(Bytes a, Bytes b) {
  return a.size() == b.size() && ::sodium_memcmp(a.data(), b.data(), a.size()) == 0;
}

void wipe(MutableBytes secret) {
  ::sodium_memzero(secret.data(), secret.size());
}

}  // namespace timepool::crypto
