#include <gtest/gtest.h>
#include <sys/stat.h>

#include <algorithm>
#include <cstdio>
#include <string>
#include <vector>

#include "base/hex.h"
#include "crypto/digest.h"
#include "crypto/ed25519.h"
#include "crypto/key_file.h"
#include "sys/file.h"
#include "sys/temporary_directory.h"

namespace timepool::crypto {
namespace {

std::vector<std::byte> hex(std::string_view text) {
  auto bytes = from_hex(text);
  EXPECT_TRUE(bytes.ok()) << text;
  return bytes.ok() ? *bytes : std::vector<std::byte>{};
}
Bytes text(std::string_view t) {
  return std::as_bytes(std::span(t.data(), t.size()));
}

// FIPS 180-4 examples.
TEST(Digest, sha256_vectors) {
  EXPECT_EQ(to_hex(sha256({})), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(to_hex(sha256(text("abc"))),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(to_hex(sha256(text("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"))),
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
}

// RFC 4231 4.2 to 4.8 (4.6 is truncated to 128 bits there).
TEST(Digest, hmac_sha256_vectors) {
  struct Vector {
    std::string key, data, mac;
  };
  const std::string dd(100, 'd'), cd = [] {
    std::string out;
    for (int i = 0; i < 50; ++i) out += "cd";
    return out;
  }();
  std::string aa;
  for (int i = 0; i < 131; ++i) aa += "aa";
  const std::string b20 = "0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b";
  for (const Vector& v : {
           Vector{b20, to_hex(text("Hi There")),
                  "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"},
           Vector{to_hex(text("Jefe")), to_hex(text("what do ya want for nothing?")),
                  "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"},
           Vector{std::string(40, 'a'), dd,
                  "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe"},
           Vector{"0102030405060708090a0b0c0d0e0f10111213141516171819", cd,
                  "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b"},
           Vector{"0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c", to_hex(text("Test With Truncation")),
                  "a3b6167473100ee06e0c796c2955552b"},
           Vector{aa, to_hex(text("Test Using Larger Than Block-Size Key - Hash Key First")),
                  "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"},
           Vector{aa,
                  to_hex(text("This is a test using a larger than block-size key and a larger than "
                              "block-size data. The key needs to be hashed before being used by "
                              "the HMAC algorithm.")),
                  "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2"},
       }) {
    const std::string mac = to_hex(hmac_sha256(hex(v.key), hex(v.data)));
    EXPECT_EQ(mac.substr(0, v.mac.size()), v.mac);
  }
}

TEST(Digest, compares_contents_and_lengths) {
  EXPECT_TRUE(equal_constant_time(text("abc"), text("abc")));
  EXPECT_FALSE(equal_constant_time(text("abc"), text("abd")));
  EXPECT_FALSE(equal_constant_time(text("abc"), text("ab")));
  EXPECT_TRUE(equal_constant_time({}, {}));
}

struct Rfc8032 {
  std::string seed, public_key, message, signature;
};
// RFC 8032 7.1: TEST 1, 2, 3 and SHA(abc).
const std::vector<Rfc8032>& rfc8032_vectors() {
  static const std::vector<Rfc8032> kVectors{
      {"9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
       "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", "",
       "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf"
       "9"
       "b46bd25bf5f0595bbe24655141438e7a100b"},
      {"4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
       "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c", "72",
       "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f"
       "1"
       "1d8c387b2eaeb4302aeeb00d291612bb0c00"},
      {"c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
       "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025", "af82",
       "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984"
       "d"
       "c6594a7c15e9716ed28dc027beceea1ec40a"},
      {"833fe62409237b9d62ec77587520911e9a759cec1d19755b7da901b96dca3d42",
       "ec172b93ad5e563bf4932c70e1245034c35467ef2efd4d64ebf819683467e2bf",
       "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3f"
       "e"
       "ebbd454d4423643ce80e2a9ac94fa54ca49f",
       "dc2a4459e7369633a52b1bf277839a00201009a3efbf3ecb69bea2186c26b58909351fc9ac90b3ecfdfbc7c6643"
       "1"
       "e0303dca179c138ac17ad9bef1177331a704"},
  };
  return kVectors;
}

template <class Array>
Array array_of(const std::vector<std::byte>& bytes) {
  Array out{};
  EXPECT_EQ(bytes.size(), out.size());
  std::copy_n(bytes.begin(), std::min(bytes.size(), out.size()), out.begin());
  return out;
}

TEST(Ed25519, rfc8032_vectors) {
  for (const Rfc8032& v : rfc8032_vectors()) {
    const SigningKey key = SigningKey::from_seed(array_of<SigningKey::Seed>(hex(v.seed)));
    EXPECT_EQ(format(key.public_key()), v.public_key);
    const auto message = hex(v.message);
    const Signature signature = key.sign(message);
    EXPECT_EQ(to_hex(signature), v.signature);
    EXPECT_TRUE(verify(key.public_key(), message, signature));
  }
}

TEST(Ed25519, refuses_a_change_of_message_signature_or_key) {
  const SigningKey key =
      SigningKey::from_seed(array_of<SigningKey::Seed>(hex(rfc8032_vectors()[1].seed)));
  std::vector<std::byte> message(50, std::byte{7});
  const Signature good = key.sign(message);
  for (std::size_t i = 0; i < message.size(); ++i) {
    message[i] ^= std::byte{1};
    EXPECT_FALSE(verify(key.public_key(), message, good));
    message[i] ^= std::byte{1};
  }
  for (std::size_t i = 0; i < good.size() * 8; ++i) {
    Signature bad = good;
    bad[i / 8] ^= static_cast<std::byte>(1u << (i % 8));
    EXPECT_FALSE(verify(key.public_key(), message, bad)) << i;
  }
  PublicKey other = key.public_key();
  other.bytes[0] ^= std::byte{1};
  EXPECT_FALSE(verify(other, message, good));
  EXPECT_TRUE(verify(key.public_key(), message, good));
}

TEST(Ed25519, refuses_a_small_order_key_and_a_signature_not_reduced) {
  // The neutral element as key accepts S = 0, R = neutral for every message where it is not
  // refused.
  PublicKey neutral;
  neutral.bytes[0] = std::byte{1};
  Signature forged{};
  forged[0] = std::byte{1};
  EXPECT_FALSE(verify(neutral, text("anything"), forged));
  // S + L is the same S modulo the group's order (RFC 8032 5.1.7: S must be below L).
  const SigningKey key =
      SigningKey::from_seed(array_of<SigningKey::Seed>(hex(rfc8032_vectors()[0].seed)));
  const auto order = hex("edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010");
  Signature twin = key.sign(text("message"));
  unsigned carry = 0;
  for (std::size_t i = 0; i < 32; ++i) {
    carry += std::to_integer<unsigned>(twin[32 + i]) + std::to_integer<unsigned>(order[i]);
    twin[32 + i] = static_cast<std::byte>(carry & 0xff);
    carry >>= 8;
  }
  EXPECT_FALSE(verify(key.public_key(), text("message"), twin));
}

TEST(Ed25519, reads_public_keys_as_hex) {
  const std::string& good = rfc8032_vectors()[0].public_key;
  EXPECT_EQ(format(*parse_public_key(good)), good);
  for (const std::string& bad :
       {std::string(), good.substr(2), good + "00", "x" + good.substr(1)}) {
    EXPECT_EQ(parse_public_key(bad).error().code, ErrorCode::kInvalid) << bad;
  }
}

class KeyFile : public ::testing::Test {
 protected:
  sys::TemporaryDirectory temporary_;
  std::string path_ = temporary_.path() + "/key";
  SigningKey::Seed seed_ = array_of<SigningKey::Seed>(hex(rfc8032_vectors()[0].seed));
};

TEST_F(KeyFile, is_made_once_readable_by_its_owner_only) {
  const auto made = create_signing_key(path_, seed_);
  ASSERT_TRUE(made.ok()) << made.error().text();
  struct stat info{};
  ASSERT_EQ(::stat(path_.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0600u);
  const auto loaded = load_signing_key(path_);
  ASSERT_TRUE(loaded.ok()) << loaded.error().text();
  EXPECT_EQ(format(loaded->public_key()), rfc8032_vectors()[0].public_key);
  EXPECT_EQ(create_signing_key(path_, seed_).error().code, ErrorCode::kExists);
}

TEST_F(KeyFile, is_refused_when_others_can_read_it) {
  ASSERT_TRUE(create_signing_key(path_, seed_).ok());
  for (const mode_t mode : {0640u, 0604u, 0620u, 0666u}) {
    ASSERT_EQ(::chmod(path_.c_str(), mode), 0);
    const auto loaded = load_signing_key(path_);
    ASSERT_FALSE(loaded.ok()) << mode;
    EXPECT_EQ(loaded.error().code, ErrorCode::kDenied);
    EXPECT_NE(loaded.error().text().find("chmod 600"), std::string::npos);
  }
}

TEST_F(KeyFile, is_refused_when_it_holds_no_key) {
  EXPECT_EQ(load_signing_key(path_).error().code, ErrorCode::kNotFound);
  EXPECT_EQ(load_signing_key(temporary_.path()).error().code, ErrorCode::kDenied);
  const std::string good = to_hex(seed_);
  for (const std::string& bad : {std::string(), good.substr(2), good + "0", good + "00\n",
                                 good + "\nx", std::string(64, 'g')}) {
    ASSERT_TRUE(sys::write_file_atomic(path_, bad, 0600).ok());
    EXPECT_EQ(load_signing_key(path_).error().code, ErrorCode::kCorrupt) << bad;
  }
}

}  // namespace
}  // namespace timepool::crypto
