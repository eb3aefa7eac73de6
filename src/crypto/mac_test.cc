#include "crypto/mac.h"

#include <gtest/gtest.h>

#include <array>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "base/hex.h"

namespace timepool::crypto {
namespace {

std::vector<std::byte> hex(std::string_view text) {
  auto bytes = from_hex(text);
  EXPECT_TRUE(bytes.ok()) << text;
  return bytes.ok() ? *bytes : std::vector<std::byte>{};
}

std::string signature(const Mac& mac, Bytes message) {
  std::array<std::byte, kMaxMacDigest> out{};
  const MutableBytes digest = MutableBytes(out).first(mac.size());
  mac.sign(message, digest);
  return to_hex(digest);
}

std::unique_ptr<const Mac> made(MacType type, Bytes secret) {
  auto mac = make_mac(type, secret);
  EXPECT_TRUE(mac.ok());
  return std::move(mac).value();
}

std::unique_ptr<const Mac> made(MacType type, std::string_view secret) {
  return made(type, std::as_bytes(std::span(secret.data(), secret.size())));
}

// RFC 4493 4 and SP 800-38B D have the same message, of which 0, 16, 40 and 64 octets are taken.
constexpr std::string_view kMessage =
    "6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e51"
    "30c81c46a35ce411e5fbc1191a0a52eff69f2445df4f9b17ad2b417be66c3710";
constexpr std::size_t kLengths[] = {0, 16, 40, 64};

void expect_cmac(MacType type, std::string_view key, const std::array<const char*, 4>& digests) {
  const auto mac = made(type, hex(key));
  const std::vector<std::byte> message = hex(kMessage);
  for (std::size_t i = 0; i < digests.size(); ++i) {
    const Bytes part = Bytes(message).first(kLengths[i]);
    EXPECT_EQ(signature(*mac, part), digests[i]) << kLengths[i];
    EXPECT_TRUE(mac->verify(part, hex(digests[i])));
  }
}

TEST(NtpMac, RFC8573_aes_128_cmac_has_the_vectors_of_RFC4493) {
  expect_cmac(MacType::kAes128Cmac, "2b7e151628aed2a6abf7158809cf4f3c",
              {"bb1d6929e95937287fa37d129b756746", "070a16b46b4d4144f79bdd9dd04a287c",
               "dfa66747de9ae63030ca32611497c827", "51f0bebf7e3b9d92fc49741779363cfe"});
}

TEST(NtpMac, aes_256_cmac_has_the_vectors_of_SP800_38B) {
  expect_cmac(MacType::kAes256Cmac,
              "603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4",
              {"028962f61b7bf89efc6b551f4667d983", "28a7023f452e8f82bd4bf28d8c37c35c",
               "aaf3d8f1de5640c232f5b169b9c911e6", "e1992190549f6ed5696a2c056c315410"});
}

// Of "tulip-and-daffodil" and the octets 0 to 47, by Python's hashlib.
TEST(NtpMac, digests_are_of_the_key_followed_by_the_message) {
  struct Vector {
    MacType type;
    const char* digest;
  };
  const Vector vectors[] = {
      {MacType::kMd5, "60c54abbd9e309e1150f6aa2d98c0d0e"},
      {MacType::kSha1, "aa8b1748dd51f3b5fc743d55c561d23c6c51e709"},
      {MacType::kSha256, "df28698d76d4449fd3340b533af18b681fd48f5a248ab54cc7bb17220b86fe01"},
      {MacType::kSha384,
       "6a696b0c63d45d4ab73e94c2f11f2a9bedd52313022b519d93149267e3bedb2af1d4db7c39b371c811bfcfcbf08"
       "9b747"},
      {MacType::kSha512,
       "7623cf29577ee050efd30eb02623a3b452cf78c6f3aa8b88c5097e6878480fca0c485a95f5b92bc1951caa7f7b0"
       "96df5789db45f4d73525b8db4792595a9191c"},
  };
  std::array<std::byte, 48> message{};
  for (std::size_t i = 0; i < message.size(); ++i) message[i] = static_cast<std::byte>(i);
  for (const Vector& it : vectors) {
    const auto mac = made(it.type, "tulip-and-daffodil");
    EXPECT_EQ(mac->size(), digest_size(it.type));
    EXPECT_EQ(signature(*mac, message), it.digest) << name_of(it.type);
  }
}

TEST(NtpMac, a_truncated_digest_is_the_beginning_of_the_whole) {
  const auto mac = made(MacType::kSha512, "a key of some length");
  const std::vector<std::byte> message = hex("000102030405");
  const std::vector<std::byte> whole = hex(signature(*mac, message));
  std::array<std::byte, 20> part{};
  mac->sign(message, part);
  EXPECT_EQ(to_hex(part), to_hex(Bytes(whole).first(20)));
  EXPECT_TRUE(mac->verify(message, part));
}

TEST(NtpMac, one_bit_anywhere_makes_it_wrong) {
  for (std::size_t type = 0; type < kMacTypeCount; ++type) {
    const std::vector<std::byte> secret(32, std::byte{7});
    const auto kind = static_cast<MacType>(type);
    const auto mac = made(kind, Bytes(secret).first(key_size(kind) == 16 ? 16 : 32));
    std::vector<std::byte> message(48, std::byte{1});
    std::vector<std::byte> digest(mac->size());
    mac->sign(message, digest);
    for (std::vector<std::byte>* bytes : {&message, &digest}) {
      for (std::size_t bit = 0; bit < bytes->size() * 8; ++bit) {
        const auto mask = static_cast<std::byte>(1U << bit % 8);
        (*bytes)[bit / 8] ^= mask;
        EXPECT_FALSE(mac->verify(message, digest)) << name_of(kind) << " " << bit;
        (*bytes)[bit / 8] ^= mask;
      }
    }
    EXPECT_TRUE(mac->verify(message, digest));
  }
}

TEST(NtpMac, no_digest_or_one_that_is_too_long_is_wrong) {
  const auto mac = made(MacType::kAes128Cmac, "0123456789abcdef");
  EXPECT_FALSE(mac->verify({}, {}));
  EXPECT_FALSE(mac->verify({}, std::vector<std::byte>(17)));
}

TEST(NtpMac, a_key_of_the_wrong_length_is_refused) {
  EXPECT_FALSE(make_mac(MacType::kSha256, {}).ok());
  EXPECT_FALSE(make_mac(MacType::kAes128Cmac, std::vector<std::byte>(15)).ok());
  EXPECT_FALSE(make_mac(MacType::kAes128Cmac, std::vector<std::byte>(32)).ok());
  EXPECT_FALSE(make_mac(MacType::kAes256Cmac, std::vector<std::byte>(16)).ok());
  EXPECT_TRUE(make_mac(MacType::kSha256, std::vector<std::byte>(1)).ok());
}

TEST(NtpMac, threads_share_one) {
  const auto mac = made(MacType::kAes128Cmac, "0123456789abcdef");
  const auto sha = made(MacType::kSha256, "0123456789abcdef");
  const auto run = [&](std::byte first) {
    std::array<std::byte, 48> message{};
    message[0] = first;
    const std::string a = signature(*mac, message);
    const std::string b = signature(*sha, message);
    for (int i = 0; i < 2000; ++i) {
      ASSERT_EQ(signature(*mac, message), a);
      ASSERT_EQ(signature(*sha, message), b);
    }
  };
  std::thread other(run, std::byte{1});
  run(std::byte{2});
  other.join();
}

}  // namespace
}  // namespace timepool::crypto
