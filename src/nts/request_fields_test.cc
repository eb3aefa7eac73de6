#include "nts/request_fields.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "nts/testing_server.h"

namespace timepool::nts {
namespace {

using wire::ntp::ExtensionField;
using wire::ntp::Packet;
namespace field_type = wire::ntp::field_type;

constexpr AeadId kSiv = AeadId::kAesSivCmac256;
constexpr AeadId kGcm = AeadId::kAes128GcmSiv;

std::vector<std::byte> header_of(std::uint8_t stratum = 2) {
  wire::ntp::Header header;
  header.version = 4;
  header.mode = wire::ntp::Mode::kServer;
  header.stratum = stratum;
  std::vector<std::byte> out(wire::ntp::kHeaderSize);
  ByteWriter writer(out);
  write_header(header, writer);
  return out;
}

class NtsRequestFields : public testing::TestWithParam<AeadId> {
 protected:
  NtsRequestFields() : session_(server_.establish(GetParam())), aead_(GetParam()) {
    for (std::size_t i = 0; i < id_.size(); ++i) id_[i] = static_cast<std::byte>(i + 1);
  }
  std::vector<std::byte> request(std::size_t placeholders) {
    const std::vector<std::byte> nonce(nonce_size(GetParam()), std::byte{7});
    std::vector<std::byte> out(1232);
    ByteWriter writer(out);
    writer.bytes(header_of());
    aead_.set_key(session_.keys.c2s());
    EXPECT_TRUE(
        write_request_fields({id_, session_.cookies[0], placeholders, nonce}, aead_, writer));
    out.resize(writer.size());
    return out;
  }
  ReplyFields read(Bytes reply) {
    const auto packet = wire::ntp::parse_packet(reply);
    EXPECT_TRUE(packet.ok());
    aead_.set_key(session_.keys.s2c());
    return read_reply(*packet, reply, id_, aead_, plain_);
  }
  ReplyVerdict verdict(Bytes reply) { return read(reply).verdict; }

  fake::TestServer server_{77};
  Establishment session_;
  fake::TestAead aead_;
  UniqueId id_{};
  std::array<std::byte, kMaxSealed> plain_{};
};

INSTANTIATE_TEST_SUITE_P(Algorithms, NtsRequestFields, ::testing::Values(kSiv, kGcm));

TEST_P(NtsRequestFields, NC1_order_and_kinds_of_the_fields) {
  const std::vector<std::byte> bytes = request(2);
  const auto packet = wire::ntp::parse_packet(bytes);
  ASSERT_TRUE(packet.ok());
  ASSERT_EQ(packet->fields.size(), 5U);
  EXPECT_EQ(packet->fields[0].type, field_type::kUniqueIdentifier);
  EXPECT_TRUE(std::ranges::equal(packet->fields[0].body, id_));
  EXPECT_EQ(packet->fields[1].type, field_type::kNtsCookie);
  EXPECT_TRUE(std::ranges::equal(packet->fields[1].body, session_.cookies[0]));
  for (const std::size_t i : {2U, 3U}) {
    EXPECT_EQ(packet->fields[i].type, field_type::kNtsCookiePlaceholder);
    EXPECT_EQ(packet->fields[i].body.size(), session_.cookies[0].size());
    EXPECT_TRUE(std::ranges::all_of(packet->fields[i].body,
                                    [](std::byte it) { return it == std::byte{0}; }));
  }
  EXPECT_EQ(packet->fields[4].type, field_type::kNtsAuthenticator);
  EXPECT_EQ(packet->fields[4].size(), authenticator_size(GetParam()));
}

TEST_P(NtsRequestFields, NC2_the_proof_is_over_the_header_and_all_fields_before_it) {
  const std::vector<std::byte> good = request(2);
  const std::size_t proved = good.size() - authenticator_size(GetParam());
  aead_.set_key(session_.keys.c2s());
  const auto proves = [&](const std::vector<std::byte>& bytes) {
    ByteReader reader(Bytes(bytes).subspan(proved + 4));
    const std::size_t nonce = reader.u16();
    const std::size_t sealed = reader.u16();
    // The plain text is empty: what is sealed is the tag alone.
    EXPECT_EQ(sealed, kAeadOverhead);
    const Bytes nonce_octets = reader.bytes(nonce);
    return aead_.open(nonce_octets, Bytes(bytes).first(proved), reader.bytes(sealed), {});
  };
  ASSERT_TRUE(proves(good));
  for (std::size_t i = 0; i < proved; ++i) {
    std::vector<std::byte> changed = good;
    changed[i] ^= std::byte{1};
    EXPECT_FALSE(proves(changed)) << i;
  }
}

TEST_P(NtsRequestFields, NC3_the_nonce_leaves_the_server_room_for_its_own) {
  const std::vector<std::byte> bytes = request(0);
  const auto packet = wire::ntp::parse_packet(bytes);
  const auto* proof = packet->field(field_type::kNtsAuthenticator);
  ASSERT_NE(proof, nullptr);
  ByteReader reader(proof->body);
  // RFC 8915 5.6: min(16, N_MAX), which is 16 for SIV and 12 for GCM-SIV; no padding is needed
  // then.
  const std::size_t nonce = GetParam() == kSiv ? 16 : 12;
  EXPECT_EQ(reader.u16(), nonce);
  EXPECT_EQ(proof->body.size(), 4 + nonce + kAeadOverhead);
}

TEST_P(NtsRequestFields, NC4_the_longest_request_is_below_1280_octets_of_ip) {
  // 40 octets of IPv6 and 8 of UDP.
  EXPECT_LE(request(7).size() + 48, 1280U);
}

TEST_P(NtsRequestFields, does_not_fit_and_says_so) {
  std::vector<std::byte> out(200);
  ByteWriter writer(out);
  const std::vector<std::byte> nonce(nonce_size(GetParam()));
  aead_.set_key(session_.keys.c2s());
  writer.bytes(header_of());
  EXPECT_FALSE(write_request_fields({id_, session_.cookies[0], 1, nonce}, aead_, writer));
}

TEST_P(NtsRequestFields, NC6_a_reply_that_proves_itself_brings_cookies) {
  const std::vector<std::byte> reply = server_.answer(request(7), header_of());
  const ReplyFields fields = read(reply);
  EXPECT_EQ(fields.verdict, ReplyVerdict::kAuthentic);
  EXPECT_EQ(fields.cookies.size(), 8U);
  EXPECT_EQ(fields.cookies[0].size(), fake::TestServer::kCookieSize);
  EXPECT_LE(reply.size(), request(7).size() + 3);
}

TEST_P(NtsRequestFields, NC6_a_changed_bit_anywhere_is_seen) {
  const std::vector<std::byte> good = server_.answer(request(0), header_of());
  ASSERT_EQ(verdict(good), ReplyVerdict::kAuthentic);
  for (std::size_t i = 0; i < good.size(); ++i) {
    std::vector<std::byte> bad = good;
    bad[i] ^= std::byte{1};
    const auto packet = wire::ntp::parse_packet(bad);
    if (!packet.ok()) continue;
    aead_.set_key(session_.keys.s2c());
    EXPECT_NE(read_reply(*packet, bad, id_, aead_, plain_).verdict, ReplyVerdict::kAuthentic) << i;
  }
}

TEST_P(NtsRequestFields, NC6_reply_to_another_request) {
  const std::vector<std::byte> reply = server_.answer(request(0), header_of());
  id_[31] ^= std::byte{1};
  EXPECT_EQ(verdict(reply), ReplyVerdict::kWrongUniqueId);
}

TEST_P(NtsRequestFields, NC6_unprotected_replies_prove_nothing) {
  EXPECT_EQ(verdict(header_of()), ReplyVerdict::kNoUniqueId);
  std::vector<std::byte> with_id(wire::ntp::kHeaderSize + 36);
  ByteWriter writer(with_id);
  writer.bytes(header_of());
  wire::ntp::write_field({field_type::kUniqueIdentifier, id_}, writer);
  EXPECT_EQ(verdict(with_id), ReplyVerdict::kNoAuthenticator);
}

TEST_P(NtsRequestFields, NC8_nak_needs_our_id) {
  EXPECT_EQ(verdict(fake::TestServer::nak(header_of(), id_)), ReplyVerdict::kNak);
  UniqueId other = id_;
  other[0] ^= std::byte{1};
  EXPECT_EQ(verdict(fake::TestServer::nak(header_of(), other)), ReplyVerdict::kWrongUniqueId);
}

TEST_P(NtsRequestFields, NC6_two_ids_are_refused) {
  std::vector<std::byte> two(wire::ntp::kHeaderSize + 72);
  ByteWriter writer(two);
  writer.bytes(header_of(0));
  for (int i = 0; i < 2; ++i) wire::ntp::write_field({field_type::kUniqueIdentifier, id_}, writer);
  EXPECT_EQ(verdict(two), ReplyVerdict::kNoUniqueId);
}

TEST_P(NtsRequestFields, NC7_fields_after_the_authenticator_are_discarded) {
  std::vector<std::byte> reply = server_.answer(request(0), header_of());
  std::vector<std::byte> tail(36);
  ByteWriter writer(tail);
  wire::ntp::write_field({field_type::kNtsCookie, std::vector<std::byte>(32)}, writer);
  reply.insert(reply.end(), tail.begin(), tail.end());
  const ReplyFields fields = read(reply);
  EXPECT_EQ(fields.verdict, ReplyVerdict::kAuthentic);
  EXPECT_EQ(fields.cookies.size(), 1U);
}

TEST_P(NtsRequestFields, NC7_cookies_outside_the_sealed_part_are_ignored) {
  std::vector<std::byte> clear(wire::ntp::kHeaderSize + 36);
  ByteWriter writer(clear);
  writer.bytes(header_of());
  wire::ntp::write_field({field_type::kNtsCookie, std::vector<std::byte>(32)}, writer);
  const std::vector<std::byte> reply = fake::TestServer::seal(clear, id_, session_.keys, {}, 5);
  const ReplyFields fields = read(reply);
  EXPECT_EQ(fields.verdict, ReplyVerdict::kAuthentic);
  EXPECT_TRUE(fields.cookies.empty());
}

TEST_P(NtsRequestFields, more_than_eight_cookies_are_cut) {
  std::vector<std::byte> plain(20 * 20);
  ByteWriter writer(plain);
  for (int i = 0; i < 20; ++i) {
    wire::ntp::write_field({field_type::kNtsCookie, std::vector<std::byte>(16, std::byte(i))},
                           writer);
  }
  const auto reply = fake::TestServer::seal(header_of(), id_, session_.keys, plain, 6);
  EXPECT_EQ(read(reply).cookies.size(), kMaxCookies);
}

TEST_P(NtsRequestFields, lengths_inside_that_lie_end_the_list) {
  const std::vector<std::byte> plain = {std::byte{2}, std::byte{4}, std::byte{0xff},
                                        std::byte{0xfc}};
  const auto reply = fake::TestServer::seal(header_of(), id_, session_.keys, plain, 6);
  EXPECT_EQ(read(reply).verdict, ReplyVerdict::kAuthentic);
  EXPECT_TRUE(read(reply).cookies.empty());
}

TEST_P(NtsRequestFields, authenticators_that_cannot_be_are_refused) {
  for (const std::array<unsigned, 2> lengths : {std::array{0U, 16U}, std::array{16U, 15U},
                                                std::array{60000U, 16U}, std::array{16U, 60000U}}) {
    std::vector<std::byte> reply(wire::ntp::kHeaderSize + 36 + 40);
    ByteWriter writer(reply);
    writer.bytes(header_of());
    wire::ntp::write_field({field_type::kUniqueIdentifier, id_}, writer);
    writer.u16(field_type::kNtsAuthenticator);
    writer.u16(40);
    writer.u16(static_cast<std::uint16_t>(lengths[0]));
    writer.u16(static_cast<std::uint16_t>(lengths[1]));
    writer.zeros(32);
    EXPECT_EQ(verdict(reply), ReplyVerdict::kBadAuthenticator) << lengths[0] << " " << lengths[1];
  }
}

}  // namespace
}  // namespace timepool::nts
