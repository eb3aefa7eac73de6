#include "ntp/server/keyed_answer.h"

#include <gtest/gtest.h>

#include <array>
#include <vector>

#include "ntp/server/key_test_support.h"
#include "ntp/server/responder.h"

namespace timepool::ntp {
namespace {

using Octets = std::vector<std::byte>;
using wire::ntp::Header;

const UnixTime kNow = UnixTime::from_seconds(1'790'000'000);
const IpAddress kClient = IpAddress::v4(0xc000'0201);

Octets header(std::uint8_t version, wire::ntp::Mode mode = wire::ntp::Mode::kClient) {
  Header out;
  out.version = version;
  out.mode = mode;
  out.transmit = NtpTimestamp::from_bits(0x1122'3344'5566'7788);
  Octets bytes(wire::ntp::kHeaderSize);
  ByteWriter writer(bytes);
  wire::ntp::write_header(out, writer);
  return bytes;
}

Octets with_mac(Octets message, const SymmetricKey& key, std::size_t size) {
  Octets digest(size);
  key.sign(message, digest);
  const std::uint32_t id = key.id();
  for (int shift = 24; shift >= 0; shift -= 8)
    message.push_back(static_cast<std::byte>(id >> shift));
  message.insert(message.end(), digest.begin(), digest.end());
  return message;
}

class KeyedAnswer : public testing::Test {
 protected:
  KeyedAnswer() {
    service_.state.leap = wire::ntp::Leap::kNone;
    service_.state.stratum = 2;
    service_.state.reference_time = kNow;
    service_.keys = std::make_shared<KeyRing>(std::vector{
        aes_, sha_, test_key(7, 7, MacType::kAes128Cmac, {*parse_prefix("203.0.113.0/24")})});
  }
  Reason ask(const Octets& request) {
    // As the program does: over the request itself.
    buffer_ = request;
    buffer_.resize(std::max(request.size(), wire::ntp::kHeaderSize));
    const RxInfo rx{kNow, {kClient, 40000, 0}, {}};
    const Response response =
        responder_.respond(rx, Bytes(buffer_).first(request.size()), service_, buffer_);
    reply_.assign(buffer_.begin(), buffer_.begin() + static_cast<std::ptrdiff_t>(response.length));
    if (response.verdict == Verdict::kReply) {
      responder_.finish(response, service_, kNow + Duration::microseconds(9), reply_);
      responder_.sent(response, service_, kNow + Duration::microseconds(20));
    }
    return response.reason;
  }
  bool is_signed_by(const SymmetricKey& key) const {
    const auto packet = wire::ntp::parse_packet(reply_);
    return packet.ok() && packet->mac.key_id == key.id() &&
           key.verify(Bytes(reply_).first(wire::ntp::kHeaderSize), packet->mac.digest);
  }

  std::shared_ptr<const SymmetricKey> aes_ = test_key(10, 1);
  std::shared_ptr<const SymmetricKey> sha_ = test_key(70000, 2, MacType::kSha256);
  Service service_;
  Responder responder_{Responder::Options{64}};
  Octets buffer_;
  Octets reply_;
};

TEST_F(KeyedAnswer, is_under_the_key_of_the_request_and_as_long) {
  for (const std::uint8_t version : std::initializer_list<std::uint8_t>{3, 4}) {
    const Octets request = with_mac(header(version), *aes_, 16);
    EXPECT_EQ(ask(request), Reason::kAnsweredKeyed);
    EXPECT_EQ(reply_.size(), request.size());
    EXPECT_TRUE(is_signed_by(*aes_));
    EXPECT_EQ(wire::ntp::parse_packet(reply_)->header.transmit,
              to_ntp(kNow + Duration::microseconds(9)));
  }
}

TEST_F(KeyedAnswer, RFC7822_long_digests_are_answered_in_the_length_they_came_in) {
  for (const std::uint8_t version : std::initializer_list<std::uint8_t>{1, 2, 3, 4}) {
    for (const std::size_t size : {20U, 32U}) {
      const Octets request = with_mac(header(version), *sha_, size);
      EXPECT_EQ(ask(request), Reason::kAnsweredKeyed) << size;
      EXPECT_EQ(reply_.size(), request.size());
      EXPECT_TRUE(is_signed_by(*sha_));
    }
  }
}

TEST_F(KeyedAnswer, the_mac_covers_extension_fields_and_the_answer_has_none) {
  Octets message = header(4);
  const Octets field = {std::byte{0xf5}, std::byte{1}, std::byte{0}, std::byte{16}};
  message.insert(message.end(), field.begin(), field.end());
  message.resize(message.size() + 12);
  EXPECT_EQ(ask(with_mac(message, *aes_, 16)), Reason::kAnsweredKeyed);
  EXPECT_EQ(reply_.size(), 68U);
  EXPECT_TRUE(is_signed_by(*aes_));
  Octets changed = with_mac(message, *aes_, 16);
  changed[60] ^= std::byte{1};
  EXPECT_EQ(ask(changed), Reason::kBadDigest);
}

TEST_F(KeyedAnswer, what_is_not_proved_is_dropped_with_its_reason) {
  EXPECT_EQ(ask(with_mac(header(4), *test_key(11, 1), 16)), Reason::kUnknownKey);
  EXPECT_TRUE(reply_.empty());
  EXPECT_EQ(ask(with_mac(header(4), *test_key(10, 99), 16)), Reason::kBadDigest);
  EXPECT_EQ(ask(with_mac(header(4), *test_key(7, 7), 16)), Reason::kKeyNotAllowed);
  // A MAC cut off where no key of that kind ends.
  Octets cut = with_mac(header(3), *sha_, 20);
  cut.resize(cut.size() - 4);
  EXPECT_EQ(ask(cut), Reason::kBadDigest);
  Octets nak = header(4);
  nak.resize(52);
  EXPECT_EQ(ask(nak), Reason::kUnknownKey);
  for (std::size_t bit = 0; bit < 48 * 8; ++bit) {
    Octets changed = with_mac(header(4), *aes_, 16);
    changed[bit / 8] ^= static_cast<std::byte>(1U << bit % 8);
    EXPECT_NE(ask(changed), Reason::kAnsweredKeyed) << bit;
    EXPECT_TRUE(reply_.empty());
  }
}

TEST_F(KeyedAnswer, a_request_for_ms_sntp_signatures_is_dropped) {
  Octets request = header(3);
  request.resize(48 + 20);
  EXPECT_EQ(ask(request), Reason::kUnknownKey);
}

TEST_F(KeyedAnswer, its_own_reply_is_not_answered) {
  ASSERT_EQ(ask(with_mac(header(4), *aes_, 16)), Reason::kAnsweredKeyed);
  EXPECT_EQ(ask(Octets(reply_)), Reason::kModeServer);
}

TEST_F(KeyedAnswer, strangers_without_a_key_are_answered_plainly) {
  EXPECT_EQ(ask(header(4)), Reason::kAnsweredPlain);
  EXPECT_EQ(reply_.size(), 48U);
}

TEST_F(KeyedAnswer, a_server_without_keys_answers_without_a_mac) {
  service_.keys = nullptr;
  EXPECT_EQ(ask(with_mac(header(4), *aes_, 16)), Reason::kAnsweredMacIgnored);
  EXPECT_EQ(reply_.size(), 48U);
}

TEST_F(KeyedAnswer, a_server_without_time_signs_that_it_has_none) {
  service_.state.leap = wire::ntp::Leap::kUnsynchronised;
  EXPECT_EQ(ask(with_mac(header(4), *aes_, 16)), Reason::kAnsweredUnsynchronised);
  EXPECT_TRUE(is_signed_by(*aes_));
}

TEST_F(KeyedAnswer, RFC9769_interleaved_mode_works_under_a_key) {
  Header next;
  next.version = 4;
  next.mode = wire::ntp::Mode::kClient;
  next.receive = NtpTimestamp::from_bits(5);
  next.transmit = NtpTimestamp::from_bits(6);
  const auto ask_naming = [&](NtpTimestamp origin) {
    next.origin = origin;
    Octets bytes(wire::ntp::kHeaderSize);
    ByteWriter writer(bytes);
    wire::ntp::write_header(next, writer);
    return ask(with_mac(bytes, *aes_, 16));
  };
  // A reply that it does not know any more.
  ASSERT_EQ(ask_naming(NtpTimestamp::from_bits(4)), Reason::kAnsweredKeyed);
  const Header first = wire::ntp::parse_packet(reply_)->header;
  EXPECT_EQ(first.origin, next.transmit);
  EXPECT_EQ(ask_naming(first.receive), Reason::kAnsweredKeyed);
  EXPECT_TRUE(is_signed_by(*aes_));
  const Header second = wire::ntp::parse_packet(reply_)->header;
  EXPECT_EQ(second.origin, next.receive);
  EXPECT_EQ(second.transmit, to_ntp(kNow + Duration::microseconds(20)));
}

}  // namespace
}  // namespace timepool::ntp
