#include "crypto/jws.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <fstream>

#include "base/hex.h"
#include "sys/temporary_directory.h"

namespace timepool::crypto {
namespace {

// The key of RFC 7515 A.3.1, as PKCS#8.
constexpr std::string_view kRfc7515Key =
    "-----BEGIN PRIVATE KEY-----\n"
    "MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgjpsQnnGQmL+YBIff\n"
    "H1136cspYG6+0iY7X1fCE9+E9LKhRANCAAR/zc4ncPbEXUGDy+5v20t7WAczNXvp\n"
    "7xO6z248e9FURcfxRM0bvZt+hyzf7bnuufSzaV1uqQskrYpGIyiFiOWt\n"
    "-----END PRIVATE KEY-----\n";
constexpr std::string_view kPayload =
    "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFt"
    "cGxlLmNvbS9pc19yb290Ijp0cnVlfQ";

// base64url without padding.
std::vector<std::byte> octets(std::string text) {
  for (char& c : text) c = c == '-' ? '+' : c == '_' ? '/' : c;
  while (text.size() % 4 != 0) text += '=';
  return from_base64(text).value();
}

std::string hex(Bytes bytes) {
  return to_hex(bytes);
}

class JwsKeyTest : public ::testing::Test {
 protected:
  std::string write(std::string_view text) {
    const std::string path = directory_.path() + "/key.pem";
    std::ofstream(path) << text;
    ::chmod(path.c_str(), 0600);
    return path;
  }
  sys::TemporaryDirectory directory_;
};

TEST_F(JwsKeyTest, A2_verifies_the_example_of_rfc7515_and_has_its_point) {
  const JwsKey key = JwsKey::load(write(kRfc7515Key)).value();
  const std::string text = "eyJhbGciOiJFUzI1NiJ9." + std::string(kPayload);
  const auto signature = octets(
      "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q");
  EXPECT_TRUE(verify_es256(key.point(), text, signature));
  EXPECT_FALSE(verify_es256(key.point(), text + "x", signature));
  std::vector<std::byte> point = octets("f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU");
  const auto y = octets("x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0");
  point.insert(point.end(), y.begin(), y.end());
  EXPECT_EQ(hex(key.point()), hex(point));
}

TEST_F(JwsKeyTest, signs_what_it_verifies_and_nobody_else_does) {
  const JwsKey one = JwsKey::generate().value();
  const JwsKey other = JwsKey::generate().value();
  const auto signature = one.sign("text");
  EXPECT_EQ(signature.size(), 64U);
  EXPECT_TRUE(verify_es256(one.point(), "text", signature));
  EXPECT_FALSE(verify_es256(other.point(), "text", signature));
  EXPECT_FALSE(verify_es256(one.point(), "text", Bytes(signature).first(63)));
}

TEST_F(JwsKeyTest, A2_is_kept_in_a_file_that_nobody_else_reads_and_is_not_overwritten) {
  const std::string path = directory_.path() + "/account.pem";
  const JwsKey made = JwsKey::generate().value();
  ASSERT_TRUE(made.save(path).ok());
  struct stat info{};
  ASSERT_EQ(::stat(path.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777U, 0600U);
  EXPECT_EQ(hex(JwsKey::load(path)->point()), hex(made.point()));
  EXPECT_EQ(JwsKey::generate()->save(path).error().code, ErrorCode::kExists);
  ::chmod(path.c_str(), 0644);
  EXPECT_EQ(JwsKey::load(path).error().code, ErrorCode::kDenied);
}

TEST_F(JwsKeyTest, refuses_rubbish) {
  EXPECT_EQ(JwsKey::load(write("rubbish")).error().code, ErrorCode::kCorrupt);
  EXPECT_EQ(JwsKey::load(directory_.path() + "/none").error().code, ErrorCode::kNotFound);
}

TEST(JwsMac, HS256_has_the_example_of_rfc7515) {
  const auto key = octets(
      "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow");
  const auto mac = jws_mac(JwsMac::kHs256, key,
                           "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9." + std::string(kPayload));
  EXPECT_EQ(hex(mac), hex(octets("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk")));
}

TEST(JwsMac, HS384_and_HS512_have_the_vectors_of_rfc4231) {
  const std::string key = "Jefe";
  const Bytes secret = std::as_bytes(std::span(key.data(), key.size()));
  const std::string text = "what do ya want for nothing?";
  EXPECT_EQ(hex(jws_mac(JwsMac::kHs384, secret, text)),
            "af45d2e376484031617f78d2b58a6b1b9c7ef464f5a01b47e42ec3736322445e"
            "8e2240ca5e69e2c78b3239ecfab21649");
  EXPECT_EQ(hex(jws_mac(JwsMac::kHs512, secret, text)),
            "164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea250554"
            "9758bf75c05a994a6d034f65f8f0e6fdcaeab1a34d4a6b4b636e070a38bce737");
}

TEST(JwsMac, has_names_that_read_back) {
  for (const JwsMac it : {JwsMac::kHs256, JwsMac::kHs384, JwsMac::kHs512}) {
    EXPECT_EQ(parse_jws_mac(name_of(it)), it);
  }
  EXPECT_EQ(parse_jws_mac("HS1"), std::nullopt);
}

}  // namespace
}  // namespace timepool::crypto
