#include "base/sha1.h"

#include <gtest/gtest.h>

#include <string>

namespace timepool {
namespace {

Sha1 of(const std::string& text) {
  return sha1(Bytes(reinterpret_cast<const std::byte*>(text.data()), text.size()));
}

// The examples that NIST publishes with FIPS 180.
TEST(Sha1, golden_digests) {
  EXPECT_EQ(of("abc"), (Sha1{0xa9993e36, 0x4706816a, 0xba3e2571, 0x7850c26c, 0x9cd0d89d}));
  EXPECT_EQ(of(""), (Sha1{0xda39a3ee, 0x5e6b4b0d, 0x3255bfef, 0x95601890, 0xafd80709}));
  EXPECT_EQ(of("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"),
            (Sha1{0x84983e44, 0x1c3bd26e, 0xbaae4aa1, 0xf95129e5, 0xe54670f1}));
  EXPECT_EQ(of(std::string(1'000'000, 'a')),
            (Sha1{0x34aa973c, 0xd4c4daa4, 0xf61eeb2b, 0xdbad2731, 0x6534016f}));
}

}  // namespace
}  // namespace timepool
