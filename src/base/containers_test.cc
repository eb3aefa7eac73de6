#include <gtest/gtest.h>

#include <array>

#include "base/prng.h"
#include "base/ring_buffer.h"
#include "base/siphash.h"
#include "base/static_vector.h"

namespace timepool {
namespace {

TEST(StaticVector, refuses_a_push_when_full) {
  StaticVector<int, 2> items;
  EXPECT_TRUE(items.push_back(1));
  EXPECT_TRUE(items.push_back(2));
  EXPECT_FALSE(items.push_back(3));
  items.swap_remove(0);
  EXPECT_EQ(items[0], 2);
  EXPECT_DEATH(static_cast<void>(items[1]), "CHECK failed");
}

TEST(RingBuffer, drops_the_oldest_when_full) {
  RingBuffer<int, 3> ring;
  for (int i = 1; i <= 5; ++i) ring.push_back(i);
  EXPECT_EQ(ring.size(), 3u);
  EXPECT_EQ(ring[0], 3);
  EXPECT_EQ(ring.back(), 5);
}

TEST(Prng, repeats_from_its_seed_and_stays_below_its_bound) {
  Prng a(42);
  Prng b(42);
  std::array<int, 10> counts{};
  for (int i = 0; i < 100'000; ++i) {
    const std::uint64_t value = a.below(10);
    ASSERT_EQ(value, b.below(10));
    ASSERT_LT(value, 10u);
    ++counts[value];
  }
  for (const int count : counts) EXPECT_NEAR(count, 10'000, 500);
  EXPECT_EQ(a.below(0), 0u);
}

// The reference vectors of the SipHash paper's implementation: key 00..0f, input 00..(n-1).
TEST(Siphash, matches_the_reference_vectors) {
  std::array<std::byte, 16> key_bytes{};
  std::array<std::byte, 15> input{};
  for (std::size_t i = 0; i < 16; ++i) key_bytes[i] = static_cast<std::byte>(i);
  for (std::size_t i = 0; i < 15; ++i) input[i] = static_cast<std::byte>(i);
  const SiphashKey key = siphash_key(key_bytes);
  EXPECT_EQ(siphash24(key, {}), 0x726fdb47dd0e0e31u);
  EXPECT_EQ(siphash24(key, Bytes(input).first(1)), 0x74f839c593dc67fdu);
  EXPECT_EQ(siphash24(key, input), 0xa129ca6149be45e5u);
}

// What CPython makes of bytes(range(16)) with PYTHONHASHSEED=0, which is a key of zeros.
TEST(Siphash, with_1_3_rounds_is_that_of_others) {
  EXPECT_EQ(siphash13({}, 0x0706050403020100u, 0x0f0e0d0c0b0a0908u), 0x8972188433a5c5b7u);
  EXPECT_NE(siphash13({0, 1}, 0x0706050403020100u, 0x0f0e0d0c0b0a0908u), 0x8972188433a5c5b7u);
}

// The same of bytes(range(8)) and bytes(range(9)).
TEST(Siphash, of_a_word_and_of_it_and_an_octet_is_that_of_others) {
  const SiphashPair both = siphash13_pair({}, 0x0706050403020100u, 8);
  EXPECT_EQ(both.word, 0xead411e67ebe2eeau);
  EXPECT_EQ(both.word_and_octet, 0x75927f9d95124362u);
}

}  // namespace
}  // namespace timepool
