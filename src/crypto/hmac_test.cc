#include "crypto/hmac.h"

#include <gtest/gtest.h>

#include <string>

#include "base/hex.h"

namespace timepool::crypto {
namespace {

Bytes bytes(const std::string& text) {
  return std::as_bytes(std::span(text.data(), text.size()));
}
std::string digest(HmacHash hash, const std::string& key, const std::string& message) {
  const auto mac = make_hmac(hash, bytes(key));
  std::vector<std::byte> out(mac->size());
  mac->sign(bytes(message), out);
  return to_hex(out);
}

// RFC 4231 4.3 and 4.7 (a key longer than a block).
TEST(Hmac, vectors_of_rfc4231) {
  EXPECT_EQ(digest(HmacHash::kSha256, "Jefe", "what do ya want for nothing?"),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
  EXPECT_EQ(digest(HmacHash::kSha512, "Jefe", "what do ya want for nothing?"),
            "164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea250554"
            "9758bf75c05a994a6d034f65f8f0e6fdcaeab1a34d4a6b4b636e070a38bce737");
  EXPECT_EQ(digest(HmacHash::kSha256, std::string(131, '\xaa'),
                   "Test Using Larger Than Block-Size Key - Hash Key First"),
            "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
}

TEST(Hmac, verifies_the_whole_digest_only_when_it_is_right) {
  const auto mac = make_hmac(HmacHash::kSha256, bytes("key"));
  std::vector<std::byte> out(32);
  mac->sign(bytes("message"), out);
  EXPECT_TRUE(mac->verify(bytes("message"), out));
  EXPECT_FALSE(mac->verify(bytes("massage"), out));
  EXPECT_FALSE(mac->verify(bytes("message"), {}));
  out[31] ^= std::byte{1};
  EXPECT_FALSE(mac->verify(bytes("message"), out));
  EXPECT_FALSE(make_hmac(HmacHash::kSha256, bytes("kez"))->verify(bytes("message"), out));
}

}  // namespace
}  // namespace timepool::crypto
