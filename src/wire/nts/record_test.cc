#include "wire/nts/record.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <set>
#include <string>
#include <vector>

#include "base/hex.h"

namespace timepool::wire::nts {
namespace {

using Octets = std::vector<std::byte>;

Octets octets(std::string_view hex) {
  return from_hex(hex).value();
}

TEST(Record, golden_octets_of_a_request_read_as_their_records) {
  const Octets message = octets("80010002000080040002000f80000000");
  ByteReader reader(message);
  const Record protocol = read_record(reader);
  EXPECT_TRUE(protocol.critical);
  EXPECT_EQ(protocol.type, record_type::kNextProtocol);
  EXPECT_EQ(to_hex(protocol.body), "0000");
  const Record aead = read_record(reader);
  EXPECT_EQ(aead.type, record_type::kAead);
  EXPECT_EQ(to_hex(aead.body), "000f");
  const Record end = read_record(reader);
  EXPECT_EQ(end.type, record_type::kEndOfMessage);
  EXPECT_TRUE(end.critical && end.body.empty());
  EXPECT_TRUE(reader.ok());
  EXPECT_EQ(reader.remaining(), 0u);
}

TEST(Record, the_pool_drafts_fixed_key_request_reads_as_its_records) {
  const Octets message = octets(
      "000e00203031323334353637383961626364656630313233343536373839616263646566"
      "800c0040000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
      "202122232425262728292a2b2c2d2e2f303132333435363738393a3b3c3d3e3f"
      "80010002000080040002000f0008000080000000");
  EXPECT_EQ(message.size(), 124u);
  ByteReader reader(message);
  std::vector<std::uint16_t> types;
  while (reader.ok() && reader.remaining() > 0) types.push_back(read_record(reader).type);
  EXPECT_TRUE(reader.ok());
  EXPECT_EQ(types,
            (std::vector<std::uint16_t>{record_type::kAuthenticationToken, record_type::kFixedKeys,
                                        record_type::kNextProtocol, record_type::kAead,
                                        record_type::kKeepAlive, record_type::kEndOfMessage}));
}

TEST(Record, the_critical_bit_is_not_part_of_the_type) {
  std::array<std::byte, 8> buffer{};
  ByteWriter writer(buffer);
  write_record({true, record_type::kCompliantGcmSiv, {}}, writer);
  write_record({false, kMaxRecordType, {}}, writer);
  EXPECT_EQ(to_hex(writer.written()), "840000007fff0000");
}

TEST(Record, a_record_that_is_not_there_as_a_whole_fails_the_reader) {
  for (const char* hex : {"80", "800100", "8001000200"}) {
    const Octets bytes = octets(hex);
    ByteReader reader(bytes);
    static_cast<void>(read_record(reader));
    EXPECT_FALSE(reader.ok()) << hex;
  }
}

TEST(Record, what_does_not_fit_is_not_written_in_part) {
  std::array<std::byte, 7> buffer{};
  ByteWriter writer(buffer);
  const std::array<std::byte, 4> body{};
  write_record({false, record_type::kCookie, body}, writer);
  EXPECT_FALSE(writer.ok());
  EXPECT_EQ(writer.size(), 0u);
}

TEST(Record, the_longest_body_survives_the_round_trip) {
  const Octets body(kMaxRecordBody, std::byte{0x5a});
  Octets buffer(kRecordHeaderSize + kMaxRecordBody);
  ByteWriter writer(buffer);
  write_record({false, record_type::kCookie, body}, writer);
  ASSERT_TRUE(writer.ok());
  ByteReader reader(buffer);
  EXPECT_EQ(read_record(reader).body.size(), kMaxRecordBody);
  EXPECT_TRUE(reader.ok());
}

TEST(Record, each_type_that_has_a_name_has_one_of_its_own) {
  std::set<std::string_view> names;
  for (std::uint16_t type = 0; type <= 14; ++type) {
    EXPECT_TRUE(names.insert(name_of_type(type)).second) << type;
  }
  EXPECT_TRUE(names.insert(name_of_type(record_type::kCompliantGcmSiv)).second);
  EXPECT_EQ(name_of_type(15), "");
}

TEST(MessageEnd, is_found_octet_by_octet_and_at_once) {
  const Octets message = octets("8001000200000005000300000080000000");
  MessageEnd at_once;
  EXPECT_EQ(at_once.find(message), message.size());
  MessageEnd slow;
  for (std::size_t i = 0; i < message.size(); ++i) {
    EXPECT_FALSE(slow.find(Bytes(message).first(i))) << i;
  }
  EXPECT_EQ(slow.find(message), message.size());
}

TEST(MessageEnd, is_where_it_was_when_more_comes_behind_it) {
  const Octets message = octets("8001000200008000000080010002");
  MessageEnd end;
  EXPECT_EQ(end.find(message), 10u);
  EXPECT_EQ(end.find(message), 10u);
}

TEST(MessageEnd, an_end_inside_a_body_is_none) {
  const Octets message = octets("0005000480000000");
  EXPECT_FALSE(MessageEnd().find(message));
}

RC_GTEST_PROP(RecordProperty, any_record_survives_the_round_trip,
              (bool critical, std::uint16_t number, const std::vector<std::uint8_t>& content)) {
  const Bytes body = std::as_bytes(std::span(content));
  const auto type = static_cast<std::uint16_t>(number & kMaxRecordType);
  Octets buffer(kRecordHeaderSize + body.size());
  ByteWriter writer(buffer);
  write_record({critical, type, body}, writer);
  RC_ASSERT(writer.ok() && writer.size() == buffer.size());
  ByteReader reader(buffer);
  const Record again = read_record(reader);
  RC_ASSERT(reader.ok() && reader.remaining() == 0);
  RC_ASSERT(again.critical == critical && again.type == type);
  RC_ASSERT(std::equal(again.body.begin(), again.body.end(), body.begin(), body.end()));
}

}  // namespace
}  // namespace timepool::wire::nts
