#include "wire/snapshot/file.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <cstring>
#include <string>
#include <vector>

#include "base/hex.h"

namespace timepool::wire::snapshot {
namespace {

std::vector<std::byte> written(const Header& header, Bytes compressed) {
  std::vector<std::byte> out(kHeaderSize + compressed.size());
  ByteWriter writer(out);
  write_file(header, compressed, writer);
  EXPECT_TRUE(writer.ok());
  EXPECT_EQ(writer.size(), out.size());
  return out;
}

std::vector<std::byte> example() {
  Header header;
  header.serial = 0x0102030405060708;
  header.created = 1795262400;
  header.payload_size = 300;
  header.compressed_size = 3;
  header.signature.fill(std::byte{0xaa});
  return written(header, std::vector<std::byte>{std::byte{1}, std::byte{2}, std::byte{3}});
}

TEST(SnapshotFile, has_the_documented_bytes) {
  EXPECT_EQ(to_hex(example()),
            "5450534e4150310a"
            "0102030405060708"
            "000000006b0187c0"
            "0000012c"
            "00000003" +
                std::string(128, 'a') + "010203");
}

RC_GTEST_PROP(SnapshotFile, is_read_as_it_was_written, ()) {
  Header header;
  header.serial = *rc::gen::positive<std::uint64_t>();
  header.created = *rc::gen::arbitrary<std::uint64_t>();
  header.payload_size = *rc::gen::inRange<std::uint32_t>(1, kMaxPayload);
  for (std::byte& b : header.signature) {
    b = static_cast<std::byte>(*rc::gen::arbitrary<std::uint8_t>());
  }
  const auto raw = *rc::gen::nonEmpty<std::vector<std::uint8_t>>();
  const Bytes compressed = std::as_bytes(std::span(raw));
  header.compressed_size = static_cast<std::uint32_t>(compressed.size());
  const auto bytes = written(header, compressed);
  const auto parsed = parse_file(bytes);
  RC_ASSERT(parsed.ok());
  RC_ASSERT(parsed->header == header);
  RC_ASSERT(parsed->compressed.size() == compressed.size());
  RC_ASSERT(std::memcmp(parsed->compressed.data(), compressed.data(), compressed.size()) == 0);
}

TEST(SnapshotFile, refuses_every_other_length) {
  const auto good = example();
  for (std::size_t size = 0; size < good.size(); ++size) {
    const auto parsed = parse_file(Bytes(good).first(size));
    ASSERT_FALSE(parsed.ok()) << size;
    EXPECT_EQ(parsed.error(), size < 8             ? Bad::kMagic
                              : size < kHeaderSize ? Bad::kShort
                                                   : Bad::kLength);
  }
  auto longer = good;
  longer.push_back(std::byte{0});
  EXPECT_EQ(parse_file(longer).error(), Bad::kLength);
}

TEST(SnapshotFile, refuses_values_outside_the_limits) {
  const auto with = [](std::size_t at, std::uint32_t value) {
    auto bytes = example();
    for (std::size_t i = 0; i < 4; ++i) {
      bytes[at + i] = static_cast<std::byte>(value >> (24 - 8 * i) & 0xff);
    }
    return bytes;
  };
  EXPECT_EQ(parse_file(with(24, 0)).error(), Bad::kEmpty);
  EXPECT_EQ(parse_file(with(28, 0)).error(), Bad::kEmpty);
  EXPECT_EQ(parse_file(with(24, kMaxPayload + 1)).error(), Bad::kTooLarge);
  EXPECT_EQ(parse_file(with(28, kMaxCompressed + 1)).error(), Bad::kTooLarge);
  EXPECT_EQ(parse_file(with(28, 0xffffffff)).error(), Bad::kTooLarge);
  EXPECT_TRUE(parse_file(with(24, kMaxPayload)).ok());
  auto zero = example();
  std::fill(zero.begin() + 8, zero.begin() + 16, std::byte{0});
  EXPECT_EQ(parse_file(zero).error(), Bad::kSerial);
  for (std::size_t i = 0; i < 8; ++i) {
    auto other = example();
    other[i] ^= std::byte{1};
    EXPECT_EQ(parse_file(other).error(), Bad::kMagic);
  }
}

TEST(SnapshotFile, explains_every_fault) {
  for (const Bad bad :
       {Bad::kMagic, Bad::kShort, Bad::kSerial, Bad::kEmpty, Bad::kTooLarge, Bad::kLength}) {
    EXPECT_FALSE(explain(bad).empty());
  }
}

}  // namespace
}  // namespace timepool::wire::snapshot
