#include "base/mac.h"

#include <gtest/gtest.h>

namespace timepool {
namespace {

TEST(MacType, names_are_read_back) {
  for (std::size_t i = 0; i < kMacTypeCount; ++i) {
    const auto type = static_cast<MacType>(i);
    EXPECT_EQ(parse_mac_type(name_of(type)), type);
    EXPECT_LE(digest_size(type), kMaxMacDigest);
  }
}

TEST(MacType, the_names_of_other_programs_are_known) {
  EXPECT_EQ(parse_mac_type("aes128"), MacType::kAes128Cmac);
  EXPECT_EQ(parse_mac_type("AES128CMAC"), MacType::kAes128Cmac);
  EXPECT_EQ(parse_mac_type("AES-128"), MacType::kAes128Cmac);
  EXPECT_EQ(parse_mac_type("AES-256-CMAC"), MacType::kAes256Cmac);
  EXPECT_EQ(parse_mac_type("AES"), MacType::kAes128Cmac);
  EXPECT_EQ(parse_mac_type("M"), MacType::kMd5);
  EXPECT_EQ(parse_mac_type("sha"), MacType::kSha1);
  EXPECT_EQ(parse_mac_type("SHA-512"), MacType::kSha512);
}

TEST(MacType, others_are_none) {
  for (const char* name : {"", "-", "SHA3-256", "TIGER", "A", "N", "S", "SHA2566", "WHIRLPOOL",
                           "AES-128-CMAC-OR-SO"}) {
    EXPECT_EQ(parse_mac_type(name), std::nullopt) << name;
  }
}

TEST(MacType, B19_md5_and_sha1_are_weak) {
  EXPECT_TRUE(is_weak(MacType::kMd5));
  EXPECT_TRUE(is_weak(MacType::kSha1));
  EXPECT_FALSE(is_weak(MacType::kSha256));
  EXPECT_FALSE(is_weak(MacType::kAes128Cmac));
}

}  // namespace
}  // namespace timepool
