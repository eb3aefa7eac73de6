#include "ntp/symmetric_authenticator.h"

#include <gtest/gtest.h>

#include <array>
#include <vector>

#include "ntp/exchange.h"
#include "ntp/server/key_test_support.h"

namespace timepool::ntp {
namespace {

using Octets = std::vector<std::byte>;
using wire::ntp::Header;

const UnixTime kStart = parse_utc("2026-11-21T12:00:00Z").value();

LocalTime local_at(Duration since) {
  return {MonoTime::from_ns(5'000'000'000) + since, kStart + since};
}

Octets with_mac(Octets message, const SymmetricKey& key, std::size_t size) {
  Octets digest(size);
  key.sign(message, digest);
  std::array<std::byte, 4> id{};
  ByteWriter(id).u32(key.id());
  message.insert(message.end(), id.begin(), id.end());
  message.insert(message.end(), digest.begin(), digest.end());
  return message;
}

class SymmetricAuthenticatorTest : public testing::Test {
 protected:
  Octets request(std::shared_ptr<const SymmetricKey> key, std::uint8_t version = 4) {
    key_ = key;
    ExchangeConfig config;
    config.version = version;
    exchange_ = Exchange(config);
    authenticator_ = std::make_unique<SymmetricAuthenticator>(std::move(key));
    std::array<std::byte, 256> buffer{};
    ByteWriter writer(buffer);
    if (!exchange_.start(local_at({}), random_, *authenticator_, writer)) return {};
    return {writer.written().begin(), writer.written().end()};
  }
  // The header of a server's reply.
  static Octets answer(const Octets& request) {
    ByteReader reader(request);
    const Header asked = wire::ntp::read_header(reader);
    Header header;
    header.version = asked.version;
    header.mode = wire::ntp::Mode::kServer;
    header.stratum = 1;
    header.precision = -20;
    header.origin = asked.transmit;
    header.receive = to_ntp(kStart + Duration::milliseconds(10));
    header.transmit = header.receive;
    header.reference = to_ntp(kStart);
    Octets out(wire::ntp::kHeaderSize);
    ByteWriter writer(out);
    wire::ntp::write_header(header, writer);
    return out;
  }
  ReplyReason receive(const Octets& datagram) {
    const LocalTime now = local_at(Duration::milliseconds(21));
    return exchange_.handle_datagram({now, now.raw}, datagram, *authenticator_).reason;
  }

  RandomStream random_{SiphashKey{1, 2}};
  std::shared_ptr<const SymmetricKey> key_;
  Exchange exchange_{ExchangeConfig{}};
  std::unique_ptr<SymmetricAuthenticator> authenticator_;
};

TEST_F(SymmetricAuthenticatorTest, a_request_ends_with_key_number_and_digest_of_all_before) {
  const Octets sent = request(test_key(0x01020304, 9));
  ASSERT_EQ(sent.size(), 48U + 4 + 16);
  const auto packet = wire::ntp::parse_packet(sent);
  ASSERT_TRUE(packet.ok());
  EXPECT_EQ(packet->mac.kind, wire::ntp::MacKind::kDigest);
  EXPECT_EQ(packet->mac.key_id, 0x01020304U);
  EXPECT_TRUE(key_->verify(Bytes(sent).first(48), packet->mac.digest));
}

TEST_F(SymmetricAuthenticatorTest, RFC7822_a_request_of_version_4_has_20_octets_at_the_most) {
  EXPECT_EQ(request(test_key(1, 9, MacType::kSha512), 4).size(), 48U + 4 + 20);
  EXPECT_EQ(request(test_key(1, 9, MacType::kSha512), 3).size(), 48U + 4 + 64);
}

TEST_F(SymmetricAuthenticatorTest, a_reply_under_the_key_of_the_source_is_taken) {
  const Octets reply = answer(request(test_key(1, 9)));
  EXPECT_EQ(receive(with_mac(reply, *key_, 16)), ReplyReason::kAccepted);
  EXPECT_TRUE(authenticator_->authenticates());
}

TEST_F(SymmetricAuthenticatorTest, a_whole_digest_is_taken_in_version_4_too) {
  const Octets reply = answer(request(test_key(1, 9, MacType::kSha256)));
  EXPECT_EQ(receive(with_mac(reply, *key_, 32)), ReplyReason::kAccepted);
}

TEST_F(SymmetricAuthenticatorTest, B18_a_right_reply_under_another_key_proves_nothing) {
  const Octets reply = answer(request(test_key(1, 9)));
  // CVE-2016-1567, CVE-2015-7974: another key that the client has, for another source.
  EXPECT_EQ(receive(with_mac(reply, *test_key(2, 10), 16)), ReplyReason::kNotAuthentic);
  // The right number, another secret; and the right secret under another number.
  EXPECT_EQ(receive(with_mac(reply, *test_key(1, 10), 16)), ReplyReason::kNotAuthentic);
  EXPECT_EQ(receive(with_mac(reply, *test_key(2, 9), 16)), ReplyReason::kNotAuthentic);
  // The answer is still waited for.
  EXPECT_EQ(receive(with_mac(reply, *key_, 16)), ReplyReason::kAccepted);
}

TEST_F(SymmetricAuthenticatorTest, a_reply_without_a_mac_or_with_a_changed_octet_proves_nothing) {
  const Octets reply = answer(request(test_key(1, 9)));
  EXPECT_EQ(receive(reply), ReplyReason::kNotAuthentic);
  for (const std::size_t at : {1U, 16U, 40U, 55U, 67U}) {
    Octets changed = with_mac(reply, *key_, 16);
    changed[at] ^= std::byte{1};
    EXPECT_EQ(receive(changed), ReplyReason::kNotAuthentic) << at;
  }
}

TEST_F(SymmetricAuthenticatorTest, a_crypto_nak_is_named_and_changes_nothing) {
  Octets reply = answer(request(test_key(1, 9)));
  const Octets good = with_mac(reply, *key_, 16);
  reply.resize(52);
  EXPECT_EQ(receive(reply), ReplyReason::kCryptoNak);
  EXPECT_EQ(receive(good), ReplyReason::kAccepted);
}

TEST_F(SymmetricAuthenticatorTest, without_a_key_nothing_is_asked_or_believed) {
  EXPECT_TRUE(request(nullptr).empty());
  EXPECT_TRUE(authenticator_->authenticates());
  const wire::ntp::Packet plain;
  EXPECT_EQ(authenticator_->check(plain, {}), AuthVerdict::kNotAuthentic);
}

}  // namespace
}  // namespace timepool::ntp
