#include "wire/ntp/header.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <array>

#include "base/hex.h"

namespace timepool::wire::ntp {
namespace {

// A reply of a stratum 2 server, each field with a value of its own.
constexpr const char* kGoldenReply =
    "240206e8"           // LI 0, VN 4, mode 4, stratum 2, poll 6, precision -24
    "00000a3d"           // root delay 2621/65536 s
    "00000e66"           // root dispersion
    "c0000201"           // 192.0.2.1
    "ec1a2b3c80000000"   // reference
    "0123456789abcdef"   // origin
    "ec1a2b4c40000000"   // receive
    "ec1a2b4c40010000";  // transmit

Header golden_reply() {
  Header out;
  out.version = 4;
  out.mode = Mode::kServer;
  out.stratum = 2;
  out.poll = 6;
  out.precision = -24;
  out.root_delay = NtpShort::from_bits(0xa3d);
  out.root_dispersion = NtpShort::from_bits(0xe66);
  out.reference_id = ReferenceId::from_bits(0xc0000201);
  out.reference = NtpTimestamp::from_bits(0xec1a2b3c80000000);
  out.origin = NtpTimestamp::from_bits(0x0123456789abcdef);
  out.receive = NtpTimestamp::from_bits(0xec1a2b4c40000000);
  out.transmit = NtpTimestamp::from_bits(0xec1a2b4c40010000);
  return out;
}

TEST(Header, golden_octets_parse_to_their_fields) {
  const auto bytes = from_hex(kGoldenReply).value();
  ByteReader reader(bytes);
  EXPECT_EQ(read_header(reader), golden_reply());
  EXPECT_TRUE(reader.ok());
  EXPECT_EQ(reader.remaining(), 0u);
}

TEST(Header, fields_write_to_their_golden_octets) {
  std::array<std::byte, kHeaderSize> buffer{};
  ByteWriter writer(buffer);
  write_header(golden_reply(), writer);
  EXPECT_TRUE(writer.ok());
  EXPECT_EQ(to_hex(writer.written()), kGoldenReply);
}

TEST(Header, of_a_request_only_what_its_answer_needs_is_read) {
  const auto bytes = from_hex(kGoldenReply).value();
  Header wanted;
  wanted.version = 4;
  wanted.mode = Mode::kServer;
  wanted.poll = 6;
  wanted.transmit = golden_reply().transmit;
  EXPECT_EQ(read_request(bytes), wanted);
}

TEST(Header, the_times_that_ask_for_interleaved_mode_are_read_from_their_places) {
  const auto bytes = from_hex(kGoldenReply).value();
  const AskedTimes asked = asked_times(bytes);
  EXPECT_EQ(asked.origin, golden_reply().origin);
  EXPECT_EQ(asked.receive, golden_reply().receive);
  EXPECT_EQ(asked.transmit, golden_reply().transmit);
}

TEST(Header, a_short_buffer_fails_the_reader) {
  const std::array<std::byte, kHeaderSize - 1> buffer{};
  ByteReader reader(buffer);
  static_cast<void>(read_header(reader));
  EXPECT_FALSE(reader.ok());
}

TEST(Header, first_octet_holds_leap_version_and_mode) {
  Header header;
  header.leap = Leap::kUnsynchronised;
  header.version = 3;
  header.mode = Mode::kClient;
  std::array<std::byte, kHeaderSize> buffer{};
  ByteWriter writer(buffer);
  write_header(header, writer);
  EXPECT_EQ(std::to_integer<int>(buffer[0]), 0xdb);
}

RC_GTEST_PROP(Header, any_octets_survive_the_round_trip, (std::array<std::uint8_t, 48> octets)) {
  ByteReader reader(std::as_bytes(std::span(octets)));
  std::array<std::byte, kHeaderSize> again{};
  ByteWriter writer(again);
  write_header(read_header(reader), writer);
  RC_ASSERT(to_hex(again) == to_hex(std::as_bytes(std::span(octets))));
}

TEST(EffectiveMode, version_1_mode_0_is_a_client_unless_it_comes_from_port_123) {
  Header header;
  header.version = 1;
  header.mode = Mode::kReserved;
  EXPECT_EQ(effective_mode(header, 40000), Mode::kClient);
  EXPECT_EQ(effective_mode(header, 123), Mode::kReserved);
  header.version = 2;
  EXPECT_EQ(effective_mode(header, 40000), Mode::kReserved);
}

TEST(EffectiveMode, a_mode_that_is_given_stands) {
  Header header;
  header.version = 1;
  header.mode = Mode::kServer;
  EXPECT_EQ(effective_mode(header, 40000), Mode::kServer);
}

TEST(SetTransmit, changes_the_last_eight_octets_of_the_header_only) {
  auto bytes = from_hex(kGoldenReply).value();
  set_transmit(bytes, NtpTimestamp::from_bits(0x1122334455667788));
  EXPECT_EQ(to_hex(bytes), std::string(kGoldenReply).substr(0, 80) + "1122334455667788");
}

}  // namespace
}  // namespace timepool::wire::ntp
