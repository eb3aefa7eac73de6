#include "crypto/dns_key.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <fstream>
#include <thread>

#include "base/byte_writer.h"
#include "base/hex.h"
#include "sys/temporary_directory.h"

namespace timepool::crypto {
namespace {

using dnssec::Algorithm;
using SignatureBytes = std::array<std::byte, dnssec::kSignatureSize>;

// PKCS#8 without the public half (RFC 5208 5, RFC 5915 3, RFC 8410 7).
constexpr const char* kP256Head =
    "3041020100301306072a8648ce3d020106082a8648ce3d030107042730250201010420";
constexpr const char* kEd25519Head = "302e020100300506032b657004220420";

std::string pem_of(const std::string& head, const std::string& base64) {
  std::vector<std::byte> der = from_hex(head).value();
  const std::vector<std::byte> secret = from_base64(base64).value();
  der.insert(der.end(), secret.begin(), secret.end());
  return "-----BEGIN PRIVATE KEY-----\n" + to_base64(der) + "\n-----END PRIVATE KEY-----\n";
}

// What an RRSIG signs: its data up to the signature, and one record (RFC 4034 3.1.8.1).
std::vector<std::byte> signed_data(const std::string& hex) {
  return from_hex(hex).value();
}

class DnsKeyFile : public testing::Test {
 protected:
  std::string path(const char* name) const { return directory_ + "/" + name; }
  sys::TemporaryDirectory temporary_;
  std::string directory_ = temporary_.path();
};

// RFC 6605 6.1: example.net.
TEST(DnsKey, RFC6605_6_1_the_example_has_that_public_key_and_its_signature_verifies) {
  const auto key = DnsKey::parse(pem_of(kP256Head, "GU6SnQ/Ou+xC5RumuIUIuJZteXT2z0O/ok1s38Et6mQ="));
  ASSERT_TRUE(key.ok()) << key.error().text();
  EXPECT_EQ((*key)->algorithm(), Algorithm::kEcdsaP256Sha256);
  EXPECT_EQ(to_base64((*key)->public_key()),
            "GojIhhXUN/u4v54ZQqGSnyhWJwaubCvTmeexv7bR6edbkrSqQpF64cYbcB7wNcP+"
            "e+MAnLr+Wi9xMWyQLc8NAA==");
  // A 13 3 3600 20100909100439 20100812100439 55648 example.net.; www.example.net. A 192.0.2.1
  const std::vector<std::byte> data = signed_data(
      "00010d03"
      "00000e10"
      "4c88b137"
      "4c63c737"
      "d960"
      "076578616d706c65036e657400"
      "03777777076578616d706c65036e657400"
      "0001"
      "0001"
      "00000e10"
      "0004"
      "c0000201");
  const auto published = from_base64(
      "qx6wLYqmh+l9oCKTN6qIc+bw6ya+KJ8oMz0YP107epXAyGmt+3SNruPFKG7tZoLBLlUzGGus7ZwmwWep666VCw==");
  SignatureBytes signature{};
  std::copy(published->begin(), published->end(), signature.begin());
  EXPECT_TRUE(
      verify_dns_signature(Algorithm::kEcdsaP256Sha256, (*key)->public_key(), data, signature));
  signature[63] ^= std::byte{1};
  EXPECT_FALSE(
      verify_dns_signature(Algorithm::kEcdsaP256Sha256, (*key)->public_key(), data, signature));
}

// RFC 8080 6.1: example.com.
TEST(DnsKey, RFC8080_6_1_the_example_has_that_public_key_and_makes_that_signature) {
  const auto key =
      DnsKey::parse(pem_of(kEd25519Head, "ODIyNjAzODQ2MjgwODAxMjI2NDUxOTAyMDQxNDIyNjI="));
  ASSERT_TRUE(key.ok()) << key.error().text();
  EXPECT_EQ((*key)->algorithm(), Algorithm::kEd25519);
  EXPECT_EQ(to_base64((*key)->public_key()), "l02Woi0iS8Aa25FQkUd9RMzZHJpBoRQwAQEX1SxZJA4=");
  // MX 15 2 3600 1440021600 1438207200 3613 example.com.; example.com. MX 10 mail.example.com.
  const std::vector<std::byte> data = signed_data(
      "000f0f02"
      "00000e10"
      "55d4fc60"
      "55b94ce0"
      "0e1d"
      "076578616d706c6503636f6d00"
      "076578616d706c6503636f6d00"
      "000f"
      "0001"
      "00000e10"
      "0014"
      "000a"
      "046d61696c076578616d706c6503636f6d00");
  SignatureBytes signature{};
  ASSERT_TRUE((*key)->sign(data, signature));
  EXPECT_EQ(to_base64(signature),
            "oL9krJun7xfBOIWcGHi7mag5/hdZrKWw15jPGrHpjQeRAvTdszaPD+QLs3fx8A4M3e23mRZ9VrbpMngwcrqN"
            "Ag==");
  EXPECT_TRUE(verify_dns_signature(Algorithm::kEd25519, (*key)->public_key(), data, signature));
}

class DnsKeyOf : public testing::TestWithParam<Algorithm> {};
INSTANTIATE_TEST_SUITE_P(Both, DnsKeyOf,
                         testing::Values(Algorithm::kEcdsaP256Sha256, Algorithm::kEd25519));

TEST_P(DnsKeyOf, what_it_signs_verifies_and_nothing_else_does) {
  const auto key = DnsKey::generate(GetParam());
  const auto other = DnsKey::generate(GetParam());
  ASSERT_TRUE(key.ok() && other.ok());
  EXPECT_NE((*key)->public_key(), (*other)->public_key());
  // Often enough for an r or s that begins with zeros, which ASN.1 leaves out.
  for (int i = 0; i < 600; ++i) {
    std::array<std::byte, 4> data{static_cast<std::byte>(i), static_cast<std::byte>(i >> 8)};
    SignatureBytes signature{};
    ASSERT_TRUE((*key)->sign(data, signature));
    ASSERT_TRUE(verify_dns_signature(GetParam(), (*key)->public_key(), data, signature));
    if (i % 100 != 0) continue;
    EXPECT_FALSE(verify_dns_signature(GetParam(), (*other)->public_key(), data, signature));
    data[3] ^= std::byte{1};
    EXPECT_FALSE(verify_dns_signature(GetParam(), (*key)->public_key(), data, signature));
  }
}

TEST_P(DnsKeyOf, a_public_key_that_is_none_verifies_nothing) {
  const SignatureBytes signature{};
  const std::vector<std::byte> nothing;
  const std::vector<std::byte> short_key(31, std::byte{1});
  const std::vector<std::byte> no_point(64, std::byte{0xff});
  for (const std::vector<std::byte>& key : {nothing, short_key, no_point}) {
    EXPECT_FALSE(verify_dns_signature(GetParam(), key, nothing, signature));
  }
}

TEST_P(DnsKeyOf, many_threads_sign_at_once) {
  const auto key = DnsKey::generate(GetParam());
  ASSERT_TRUE(key.ok());
  std::atomic<int> right = 0;
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 200; ++i) {
        const std::array<std::byte, 2> data{static_cast<std::byte>(t), static_cast<std::byte>(i)};
        SignatureBytes signature{};
        if ((*key)->sign(data, signature) &&
            verify_dns_signature(GetParam(), (*key)->public_key(), data, signature)) {
          ++right;
        }
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(right.load(), 800);
}

TEST_P(DnsKeyOf, text_and_back_is_the_same_key) {
  const auto key = DnsKey::generate(GetParam());
  ASSERT_TRUE(key.ok());
  const auto text = (*key)->pem();
  ASSERT_TRUE(text.ok());
  EXPECT_TRUE(text->starts_with("-----BEGIN PRIVATE KEY-----\n"));
  EXPECT_LT(text->size(), kMaxDnsKeyText);
  const auto again = DnsKey::parse(*text);
  ASSERT_TRUE(again.ok());
  EXPECT_EQ((*again)->public_key(), (*key)->public_key());
  // Cut off anywhere it is refused.
  for (std::size_t size = 0; size + 2 < text->size(); ++size) {
    EXPECT_FALSE(DnsKey::parse(text->substr(0, size)).ok()) << size;
  }
}

TEST_F(DnsKeyFile, is_made_with_mode_0600_and_never_overwritten) {
  const auto key = DnsKey::generate(Algorithm::kEcdsaP256Sha256);
  ASSERT_TRUE(key.ok());
  ASSERT_TRUE((*key)->save(path("a.pem")).ok());
  struct stat info{};
  ASSERT_EQ(::stat(path("a.pem").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0600U);
  const auto again = (*key)->save(path("a.pem"));
  ASSERT_FALSE(again.ok());
  EXPECT_EQ(again.error().code, ErrorCode::kExists);
  const auto loaded = DnsKey::load(path("a.pem"));
  ASSERT_TRUE(loaded.ok()) << loaded.error().text();
  EXPECT_EQ((*loaded)->public_key(), (*key)->public_key());
}

TEST_F(DnsKeyFile, what_is_wrong_is_told_with_its_name) {
  const auto text_of = [&](const char* name) { return DnsKey::load(path(name)).error().text(); };
  const auto write = [&](const char* name, const std::string& text, mode_t mode = 0600) {
    std::ofstream(path(name)) << text;
    ASSERT_EQ(::chmod(path(name).c_str(), mode), 0);
  };
  const auto key = DnsKey::generate(Algorithm::kEd25519);
  ASSERT_TRUE(key.ok());
  const std::string pem = (*key)->pem().value();
  write("empty", "");
  write("cut", pem.substr(0, 60));
  write("rubbish", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n");
  write("open", pem, 0644);
  write("long", std::string(kMaxDnsKeyText + 1, 'x'));
  EXPECT_EQ(DnsKey::load(path("none")).error().code, ErrorCode::kNotFound);
  EXPECT_EQ(text_of("empty"), "key file " + path("empty") + ": no private key in PEM");
  EXPECT_EQ(text_of("cut"), "key file " + path("cut") + ": its PEM is cut off");
  EXPECT_EQ(text_of("rubbish"),
            "key file " + path("rubbish") + ": its private key in PEM is damaged");
  EXPECT_EQ(DnsKey::load(path("open")).error().code, ErrorCode::kDenied);
  EXPECT_EQ(DnsKey::load(path("long")).error().code, ErrorCode::kExhausted);
}

// One bit of the private half is another, as on a failing disk: what it signed would not verify.
TEST(DnsKey, a_key_whose_halves_do_not_belong_together_is_refused) {
  const std::string whole = (*DnsKey::generate(Algorithm::kEcdsaP256Sha256))->pem().value();
  const std::size_t line = whole.find('\n') + 1;
  std::string base64 = whole.substr(line, whole.find("\n-----END") - line);
  std::erase(base64, '\n');
  std::vector<std::byte> der = from_base64(base64).value();
  constexpr std::size_t kInPrivateHalf = 50;
  der[kInPrivateHalf] ^= std::byte{1};
  const auto key = DnsKey::parse("-----BEGIN PRIVATE KEY-----\n" + to_base64(der) +
                                 "\n-----END PRIVATE KEY-----\n");
  ASSERT_FALSE(key.ok());
  EXPECT_EQ(key.error().detail, "its halves are not of one key");
}

TEST(DnsKey, a_key_of_another_kind_is_refused) {
  // secp384r1 (RFC 5915, RFC 5480 2.1.1.1).
  const std::string p384 =
      pem_of("304e020100301006072a8648ce3d020106052b81040022043730350201010430",
             to_base64(std::vector<std::byte>(48, std::byte{1})));
  const auto key = DnsKey::parse(p384);
  ASSERT_FALSE(key.ok());
  EXPECT_EQ(key.error().detail, "its curve is not P-256");
}

}  // namespace
}  // namespace timepool::crypto
