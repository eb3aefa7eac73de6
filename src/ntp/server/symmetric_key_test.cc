#include "ntp/server/symmetric_key.h"

#include <gtest/gtest.h>

#include <vector>

#include "ntp/server/key_test_support.h"

namespace timepool::ntp {
namespace {

const IpAddress kSomebody = IpAddress::v4(0xc000'0201);  // 192.0.2.1

std::vector<std::byte> message() {
  return std::vector<std::byte>(48, std::byte{0x23});
}

std::vector<std::byte> digest_of(const SymmetricKey& key, std::size_t size) {
  std::vector<std::byte> out(size);
  key.sign(message(), out);
  return out;
}

TEST(SymmetricKey, RFC7822_digests_of_version_4_are_cut_off_at_20_octets) {
  EXPECT_EQ(test_key(1, 1, MacType::kAes128Cmac)->digest_size(4), 16U);
  EXPECT_EQ(test_key(1, 1, MacType::kSha1)->digest_size(4), 20U);
  EXPECT_EQ(test_key(1, 1, MacType::kSha256)->digest_size(4), 20U);
  EXPECT_EQ(test_key(1, 1, MacType::kSha512)->digest_size(4), 20U);
  EXPECT_EQ(test_key(1, 1, MacType::kSha256)->digest_size(3), 32U);
  EXPECT_EQ(test_key(1, 1, MacType::kSha512)->digest_size(1), 64U);
}

TEST(SymmetricKey, a_digest_counts_whole_or_cut_off_and_in_no_other_length) {
  const auto key = test_key(1, 1, MacType::kSha512);
  const std::vector<std::byte> whole = digest_of(*key, 64);
  for (std::size_t size = 0; size <= whole.size(); ++size) {
    EXPECT_EQ(key->verify(message(), Bytes(whole).first(size)), size == 20 || size == 64) << size;
  }
}

TEST(SymmetricKey, its_address_list_bounds_who_may_use_it) {
  const auto anybody = test_key(1, 1);
  EXPECT_TRUE(anybody->allows(kSomebody));
  const auto few = test_key(1, 1, MacType::kAes128Cmac,
                            {*parse_prefix("192.0.2.0/28"), *parse_prefix("2001:db8::7")});
  EXPECT_TRUE(few->allows(kSomebody));
  EXPECT_TRUE(few->allows(*parse_ip("::ffff:192.0.2.1")));
  EXPECT_TRUE(few->allows(*parse_ip("2001:db8::7")));
  EXPECT_FALSE(few->allows(*parse_ip("192.0.2.16")));
  EXPECT_FALSE(few->allows(*parse_ip("2001:db8::8")));
}

TEST(KeyRing, finds_keys_by_their_numbers) {
  const KeyRing ring({test_key(4294967295, 3), test_key(1, 1), test_key(70000, 2)});
  EXPECT_EQ(ring.find(1)->generation(), 1U);
  EXPECT_EQ(ring.find(70000)->generation(), 2U);
  EXPECT_EQ(ring.find(4294967295)->generation(), 3U);
  EXPECT_EQ(ring.find(0), nullptr);
  EXPECT_EQ(ring.find(2), nullptr);
  EXPECT_EQ(ring.share(2), nullptr);
  EXPECT_EQ(KeyRing().find(1), nullptr);
}

TEST(KeyRing, says_why_a_digest_does_not_count) {
  const KeyRing ring({test_key(1, 1), test_key(2, 2),
                      test_key(3, 3, MacType::kAes128Cmac, {*parse_prefix("203.0.113.0/24")})});
  const std::vector<std::byte> first = digest_of(*ring.find(1), 16);
  EXPECT_EQ(ring.verify(1, message(), first, kSomebody), MacVerdict::kAuthentic);
  EXPECT_EQ(ring.verify(2, message(), first, kSomebody), MacVerdict::kBadDigest);
  EXPECT_EQ(ring.verify(4, message(), first, kSomebody), MacVerdict::kUnknownKey);
  const std::vector<std::byte> third = digest_of(*ring.find(3), 16);
  EXPECT_EQ(ring.verify(3, message(), third, kSomebody), MacVerdict::kNotAllowed);
  EXPECT_EQ(ring.verify(3, message(), third, *parse_ip("203.0.113.9")), MacVerdict::kAuthentic);
}

TEST(KeyRing, signs_in_the_lengths_that_the_key_has) {
  const KeyRing ring({test_key(1, 1, MacType::kSha256)});
  for (std::size_t size = 0; size <= 40; ++size) {
    std::vector<std::byte> digest(size);
    EXPECT_EQ(ring.sign(1, message(), digest), size == 20 || size == 32) << size;
    if (size == 20 || size == 32) {
      EXPECT_EQ(ring.verify(1, message(), digest, kSomebody), MacVerdict::kAuthentic);
    }
  }
  std::vector<std::byte> digest(20);
  EXPECT_FALSE(ring.sign(2, message(), digest));
}

}  // namespace
}  // namespace timepool::ntp
