#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <array>
#include <vector>

#include "base/byte_reader.h"
#include "base/byte_writer.h"
#include "base/hex.h"

namespace timepool {
namespace {

TEST(ByteReader, reads_big_endian_fields_in_order) {
  const auto bytes = from_hex("0102030405060708090a0b0c0d0e0f").value();
  ByteReader reader(bytes);
  EXPECT_EQ(reader.u8(), 0x01);
  EXPECT_EQ(reader.u16(), 0x0203);
  EXPECT_EQ(reader.u32(), 0x04050607u);
  EXPECT_EQ(reader.u64(), 0x08090a0b0c0d0e0fu);
  EXPECT_TRUE(reader.ok());
  EXPECT_EQ(reader.remaining(), 0u);
}

TEST(ByteReader, a_read_past_the_end_fails_for_good_and_yields_zero) {
  const auto bytes = from_hex("010203").value();
  ByteReader reader(bytes);
  EXPECT_EQ(reader.u32(), 0u);
  EXPECT_FALSE(reader.ok());
  EXPECT_EQ(reader.u8(), 0u);
  std::array<std::byte, 2> out{std::byte{7}, std::byte{7}};
  reader.copy(out);
  EXPECT_EQ(out[0], std::byte{0});
  reader.seek(4);
  EXPECT_FALSE(reader.ok());
}

TEST(ByteWriter, refuses_what_does_not_fit_and_keeps_what_did) {
  std::array<std::byte, 4> buffer{};
  ByteWriter writer(buffer);
  writer.u16(0xabcd);
  writer.u32(1);
  EXPECT_FALSE(writer.ok());
  EXPECT_EQ(to_hex(writer.written()), "abcd");
  writer.rewind(0);
  writer.zeros(4);
  EXPECT_TRUE(writer.ok());
  writer.patch_u16(2, 0x1234);
  EXPECT_EQ(to_hex(writer.written()), "00001234");
  writer.patch_u16(3, 1);
  EXPECT_FALSE(writer.ok());
}

RC_GTEST_PROP(ByteWriter, integers_round_trip,
              (std::uint64_t a, std::uint32_t b, std::uint16_t c)) {
  std::array<std::byte, 14> buffer{};
  ByteWriter writer(buffer);
  writer.u64(a);
  writer.u32(b);
  writer.u16(c);
  ByteReader reader(writer.written());
  RC_ASSERT(reader.u64() == a);
  RC_ASSERT(reader.u32() == b);
  RC_ASSERT(reader.u16() == c);
}

RC_GTEST_PROP(Hex, hex_and_base64_round_trip, (const std::vector<std::uint8_t>& values)) {
  const Bytes bytes = std::as_bytes(std::span(values));
  const auto hex = from_hex(to_hex(bytes)).value();
  const auto base64 = from_base64(to_base64(bytes)).value();
  RC_ASSERT(std::equal(bytes.begin(), bytes.end(), hex.begin(), hex.end()));
  RC_ASSERT(std::equal(bytes.begin(), bytes.end(), base64.begin(), base64.end()));
}

TEST(Hex, matches_rfc4648_10_and_refuses_bad_text) {
  const auto text = [](std::string_view s) {
    return to_base64(std::as_bytes(std::span(s.data(), s.size())));
  };
  EXPECT_EQ(text(""), "");
  EXPECT_EQ(text("f"), "Zg==");
  EXPECT_EQ(text("fo"), "Zm8=");
  EXPECT_EQ(text("foobar"), "Zm9vYmFy");
  for (const char* bad : {"Zg=", "Zg=a", "=AAA", "Zh==", "Zm9=", "Z!==", "Zg==Zg=="}) {
    EXPECT_FALSE(from_base64(bad).ok()) << bad;
  }
  EXPECT_FALSE(from_hex("abc").ok());
  EXPECT_FALSE(from_hex("zz").ok());
}

}  // namespace
}  // namespace timepool
