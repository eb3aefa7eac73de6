#include "cli/ntp_keygen.h"

#include <gtest/gtest.h>

#include "ntp/key_table.h"

namespace timepool::cli {
namespace {

TEST(Keygen, prints_a_line_that_a_key_file_takes) {
  for (std::size_t i = 0; i < kMacTypeCount; ++i) {
    const auto type = static_cast<MacType>(i);
    const auto line = key_line(70000, type, std::nullopt);
    ASSERT_TRUE(line.ok());
    const auto entries = ntp::parse_key_table(*line);
    ASSERT_TRUE(entries.ok()) << *line;
    EXPECT_EQ(entries->front().id, 70000U);
    EXPECT_EQ(entries->front().type, type);
    EXPECT_EQ(entries->front().secret.size(), key_size(type) > 0 ? key_size(type) : 20);
  }
}

TEST(Keygen, no_two_keys_are_the_same) {
  EXPECT_NE(key_line(1, MacType::kAes128Cmac, std::nullopt).value(),
            key_line(1, MacType::kAes128Cmac, std::nullopt).value());
}

TEST(Keygen, lengths_have_bounds) {
  EXPECT_TRUE(key_line(1, MacType::kSha256, 80).ok());
  const auto longest = key_line(1, MacType::kSha256, 2048);
  ASSERT_TRUE(longest.ok());
  EXPECT_TRUE(ntp::parse_key_table(*longest).ok());
  for (const int bits : {72, 81, 2056, -160}) {
    EXPECT_FALSE(key_line(1, MacType::kSha256, bits).ok()) << bits;
  }
  EXPECT_TRUE(key_line(1, MacType::kAes128Cmac, 128).ok());
  EXPECT_FALSE(key_line(1, MacType::kAes128Cmac, 160).ok());
  EXPECT_FALSE(key_line(1, MacType::kAes256Cmac, 128).ok());
}

}  // namespace
}  // namespace timepool::cli
