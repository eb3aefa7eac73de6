// Each ambiguity of what may follow the header has a test here.
#include "wire/ntp/packet.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <string>
#include <vector>

#include "base/hex.h"
#include "wire/ntp/testing.h"

namespace timepool::wire::ntp {
namespace {

using Octets = std::vector<std::byte>;

Octets request(std::uint8_t version, std::string_view rest_hex) {
  Octets out(kHeaderSize, std::byte{0});
  out[0] = static_cast<std::byte>(version << 3 | 3);
  const Octets rest = from_hex(rest_hex).value();
  out.insert(out.end(), rest.begin(), rest.end());
  return out;
}

std::string zeros(std::size_t octets) {
  return std::string(octets * 2, '0');
}
std::string ones(std::size_t octets) {
  return std::string(octets * 2, '1');
}

PacketError error_of(const Octets& bytes) {
  const auto packet = parse_packet(bytes);
  EXPECT_FALSE(packet.ok());
  return packet.ok() ? PacketError::kTooShort : packet.error();
}

TEST(Packet, shorter_than_the_header_is_too_short) {
  const Octets bytes(47, std::byte{0x23});
  EXPECT_EQ(error_of(bytes), PacketError::kTooShort);
  EXPECT_EQ(error_of({}), PacketError::kTooShort);
}

TEST(Packet, length_is_a_multiple_of_four) {
  EXPECT_EQ(error_of(request(4, "0000")), PacketError::kBadLength);
}

TEST(Packet, versions_1_to_4_are_known) {
  for (std::uint8_t version = 0; version < 8; ++version) {
    const auto packet = parse_packet(request(version, ""));
    EXPECT_EQ(packet.ok(), version >= 1 && version <= 4) << int{version};
  }
  EXPECT_EQ(error_of(request(5, "")), PacketError::kBadVersion);
}

TEST(Packet, four_zero_octets_are_a_crypto_nak) {
  for (const std::uint8_t version : {std::uint8_t{3}, std::uint8_t{4}}) {
    const Octets bytes = request(version, "00000000");
    const auto packet = parse_packet(bytes);
    ASSERT_TRUE(packet.ok());
    EXPECT_EQ(packet->mac.kind, MacKind::kCryptoNak);
  }
}

TEST(Packet, four_other_octets_are_an_error) {
  EXPECT_EQ(error_of(request(4, "00000001")), PacketError::kBadMac);
}

TEST(Packet, version_4_with_20_or_24_octets_left_has_a_mac_even_if_they_look_like_a_field) {
  for (const std::size_t size : {20u, 24u}) {
    const std::string looks_like_field = size == 20 ? "01040014" : "01040018";
    const Octets bytes = request(4, looks_like_field + ones(size - 4));
    const auto packet = parse_packet(bytes);
    ASSERT_TRUE(packet.ok()) << size;
    EXPECT_EQ(packet->mac.kind, MacKind::kDigest);
    EXPECT_EQ(packet->mac.digest.size(), size - 4);
    EXPECT_TRUE(packet->fields.empty());
  }
}

TEST(Packet, a_lone_mac_is_the_one_that_parsing_finds) {
  for (std::uint8_t version = kMinVersion; version <= kMaxVersion; ++version) {
    for (std::size_t size = 0; size <= 72; size += 4) {
      for (const Octets& bytes : {request(version, zeros(size)), request(version, ones(size))}) {
        const auto lone = lone_mac(bytes);
        EXPECT_EQ(lone.has_value(), size == 20 || size == 24) << size;
        if (!lone) continue;
        const auto packet = parse_packet(bytes);
        ASSERT_TRUE(packet.ok() && packet->fields.empty());
        EXPECT_EQ(lone->kind, packet->mac.kind);
        EXPECT_EQ(lone->key_id, packet->mac.key_id);
        EXPECT_EQ(lone->digest.data(), packet->mac.digest.data());
        EXPECT_EQ(lone->digest.size(), packet->mac.digest.size());
      }
    }
  }
  EXPECT_FALSE(lone_mac(Octets(20)).has_value());
}

TEST(Packet, version_4_with_8_12_or_16_octets_left_is_an_error) {
  EXPECT_EQ(error_of(request(4, ones(8))), PacketError::kBadMac);
  EXPECT_EQ(error_of(request(4, ones(12))), PacketError::kBadMac);
  EXPECT_EQ(error_of(request(4, ones(16))), PacketError::kBadField);
}

TEST(Packet, the_last_field_without_a_mac_has_at_least_28_octets) {
  EXPECT_EQ(error_of(request(4, "01040010" + zeros(12))), PacketError::kBadField);
  const Octets bytes = request(4, "0104001c" + zeros(24));
  const auto packet = parse_packet(bytes);
  ASSERT_TRUE(packet.ok());
  ASSERT_EQ(packet->fields.size(), 1u);
  EXPECT_EQ(packet->fields[0].type, field_type::kUniqueIdentifier);
  EXPECT_EQ(packet->fields[0].body.size(), 24u);
}

TEST(Packet, a_field_of_16_octets_stands_before_another_or_before_a_mac) {
  const Octets before_field = request(4, "01040010" + zeros(12) + "0204001c" + zeros(24));
  const auto two = parse_packet(before_field);
  ASSERT_TRUE(two.ok());
  EXPECT_EQ(two->fields.size(), 2u);
  const Octets before_mac = request(4, "01040010" + zeros(12) + "00000007" + ones(16));
  const auto with_mac = parse_packet(before_mac);
  ASSERT_TRUE(with_mac.ok());
  EXPECT_EQ(with_mac->fields.size(), 1u);
  EXPECT_EQ(with_mac->mac.key_id, 7u);
}

TEST(Packet, a_field_before_a_crypto_nak_is_kept_from_28_octets_in_all) {
  const Octets kept = request(4, "01040018" + zeros(20) + "00000000");
  const auto packet = parse_packet(kept);
  ASSERT_TRUE(packet.ok());
  EXPECT_EQ(packet->fields.size(), 1u);
  EXPECT_EQ(packet->mac.kind, MacKind::kCryptoNak);
  // 16 and 4 are 20: a MAC.
  const Octets taken = request(4, "01040010" + ones(12) + "00000000");
  EXPECT_EQ(parse_packet(taken)->mac.kind, MacKind::kDigest);
}

TEST(Packet, unsound_field_lengths_are_errors) {
  for (const char* header : {"01040000", "0104000c", "0104001e", "01040104"}) {
    EXPECT_EQ(error_of(request(4, std::string(header) + zeros(28))), PacketError::kBadField)
        << header;
  }
}

TEST(Packet, version_4_tries_a_field_before_a_long_mac) {
  const Octets as_field = request(4, "00000024" + ones(32));
  const auto field = parse_packet(as_field);
  ASSERT_TRUE(field.ok());
  EXPECT_EQ(field->fields.size(), 1u);
  const Octets as_mac = request(4, "00000007" + ones(32));
  const auto mac = parse_packet(as_mac);
  ASSERT_TRUE(mac.ok());
  EXPECT_EQ(mac->mac.key_id, 7u);
  EXPECT_EQ(mac->mac.digest.size(), 32u);
}

TEST(Packet, version_3_never_has_fields) {
  for (const std::size_t size : {12u, 20u, 24u, 36u, 52u, 68u, 72u}) {
    const Octets bytes = request(3, "0104001c" + ones(size - 4));
    const auto packet = parse_packet(bytes);
    ASSERT_TRUE(packet.ok()) << size;
    EXPECT_TRUE(packet->fields.empty());
    EXPECT_EQ(packet->mac.key_id, 0x0104001cu);
    EXPECT_EQ(packet->mac.digest.size(), size - 4);
  }
  EXPECT_EQ(error_of(request(3, ones(28))), PacketError::kBadMac);
}

TEST(Packet, an_all_zero_digest_of_16_or_68_octets_is_ms_sntp) {
  for (const std::size_t digest : {16u, 68u}) {
    for (const std::uint8_t version : {std::uint8_t{3}, std::uint8_t{4}}) {
      const Octets bytes = request(version, "aabbcc01" + zeros(digest));
      const auto packet = parse_packet(bytes);
      ASSERT_TRUE(packet.ok());
      EXPECT_EQ(packet->mac.kind, MacKind::kMsSntp);
      EXPECT_EQ(packet->mac.key_id, 0xaabbcc01u);
    }
  }
  const Octets sha1 = request(4, "aabbcc01" + zeros(20));
  EXPECT_EQ(parse_packet(sha1)->mac.kind, MacKind::kDigest);
}

TEST(Packet, more_than_32_fields_are_an_error) {
  std::string fields;
  for (std::size_t i = 0; i < kMaxFields; ++i) fields += "0304001c" + zeros(24);
  EXPECT_TRUE(parse_packet(request(4, fields)).ok());
  EXPECT_EQ(error_of(request(4, fields + "0304001c" + zeros(24))), PacketError::kTooManyFields);
}

TEST(Packet, the_first_field_of_a_type_is_found) {
  const Octets bytes = request(4, "02040010" + ones(12) + "0104001c" + zeros(24));
  const auto packet = parse_packet(bytes);
  ASSERT_TRUE(packet.ok());
  ASSERT_NE(packet->field(field_type::kUniqueIdentifier), nullptr);
  EXPECT_EQ(packet->field(field_type::kUniqueIdentifier)->size(), 28u);
  EXPECT_EQ(packet->field(field_type::kNtsAuthenticator), nullptr);
}

TEST(Packet, a_written_field_is_padded_to_its_least_length) {
  const Octets body = from_hex("0102030405").value();
  Packet packet;
  ASSERT_TRUE(packet.fields.push_back({field_type::kUniqueIdentifier, body}));
  ASSERT_TRUE(packet.fields.push_back({field_type::kNtsCookie, body}));
  Octets buffer(200);
  ByteWriter writer(buffer);
  testing::write_packet(packet, writer);
  ASSERT_TRUE(writer.ok());
  EXPECT_EQ(to_hex(writer.written().subspan(kHeaderSize)),
            "010400100102030405" + zeros(7) + "0204001c0102030405" + zeros(19));
}

TEST(Packet, a_write_that_does_not_fit_fails) {
  Packet packet;
  ASSERT_TRUE(packet.fields.push_back({1, {}}));
  Octets buffer(kHeaderSize + 27);
  ByteWriter writer(buffer);
  testing::write_packet(packet, writer);
  EXPECT_FALSE(writer.ok());
}

void expect_write_gives(const Octets& bytes) {
  const auto packet = parse_packet(bytes);
  if (!packet.ok()) return;
  Octets again(bytes.size());
  ByteWriter writer(again);
  testing::write_packet(*packet, writer);
  RC_ASSERT(writer.ok());
  RC_ASSERT(to_hex(writer.written()) == to_hex(bytes));
}

RC_GTEST_PROP(Packet, whatever_parses_is_written_the_same_again,
              (const std::vector<std::uint8_t>& tail)) {
  // A plausible packet: field headers with small lengths are likely, else nearly nothing parses.
  Octets bytes = request(4, "");
  const auto count = *rc::gen::inRange(0, 5);
  for (int i = 0; i < count; ++i) {
    const auto body = *rc::gen::inRange<std::size_t>(2, 12);
    const Octets field =
        from_hex("0104" + to_hex(std::array{std::byte{0}, static_cast<std::byte>(4 + body * 4)}) +
                 ones(body * 4))
            .value();
    bytes.insert(bytes.end(), field.begin(), field.end());
  }
  for (const std::uint8_t octet : tail) bytes.push_back(std::byte{octet});
  while (bytes.size() % 4 != 0) bytes.push_back(std::byte{0});
  expect_write_gives(bytes);
}

}  // namespace
}  // namespace timepool::wire::ntp
