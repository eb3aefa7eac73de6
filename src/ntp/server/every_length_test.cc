// Every datagram length from 0 to what a worker takes in, behind every first octet.
#include <gtest/gtest.h>

#include <array>
#include <cstring>
#include <string>
#include <vector>

#include "ntp/server/key_test_support.h"
#include "ntp/server/responder.h"

namespace timepool::ntp {
namespace {

constexpr std::size_t kLongest = 2048;
constexpr std::byte kCanary{0xa5};
const UnixTime kNow = parse_utc("2026-11-21T12:00:00Z").value();

// What stands behind the first octet.
enum class Fill : std::uint8_t { kZeros, kOnes, kOneField };

std::vector<std::byte> request(unsigned first, std::size_t length, Fill fill) {
  std::vector<std::byte> out(length, fill == Fill::kOnes ? std::byte{0xff} : std::byte{0});
  if (length > 0) out[0] = static_cast<std::byte>(first);
  const std::size_t rest = length > 48 ? length - 48 : 0;
  if (fill == Fill::kOneField && rest >= 4) {
    out[48] = std::byte{0x7f};
    out[50] = static_cast<std::byte>(rest >> 8);
    out[51] = static_cast<std::byte>(rest & 0xff);
  }
  return out;
}

// RFC 5905 7.3 and RFC 1059: versions 1 to 4 in mode 3, and version 1 that has no mode.
bool is_of_a_client(unsigned first) {
  const unsigned version = first >> 3 & 7;
  const unsigned mode = first & 7;
  return version >= 1 && version <= 4 && (mode == 3 || (version == 1 && mode == 0));
}

class EveryLength : public testing::TestWithParam<bool> {
 protected:
  EveryLength() {
    service_.state.leap = wire::ntp::Leap::kNone;
    service_.state.stratum = 2;
    service_.state.reference_time = kNow;
    std::vector<std::shared_ptr<const SymmetricKey>> keys;
    keys.push_back(test_key(1, 1));
    if (GetParam()) service_.keys = std::make_shared<KeyRing>(std::move(keys));
  }
  void check(unsigned first, std::size_t length, Fill fill) {
    const std::vector<std::byte> asked = request(first, length, fill);
    RxInfo rx;
    rx.received = kNow;
    rx.client = {IpAddress::v4(0xc000020a), 40'000, 0};
    rx.local = {IpAddress::v4(0xc000027b), 123, 0};
    const Response response = responder_.respond(rx, asked, service_, reply_);
    ASSERT_LT(static_cast<std::size_t>(response.reason), kReasonCount);
    ++reasons_[static_cast<std::size_t>(response.reason)];
    const bool replies = response.verdict == Verdict::kReply;
    ASSERT_EQ(replies, is_answered(response.reason));
    ASSERT_EQ(replies, response.length > 0);
    ASSERT_LE(response.length, length);
    if (replies) {
      ASSERT_TRUE(is_of_a_client(first) && length >= 48 && length % 4 == 0);
      responder_.finish(response, service_, kNow, MutableBytes(reply_).first(response.length));
      ASSERT_EQ(reply_[0] & std::byte{7}, std::byte{4});
    } else {
      ASSERT_FALSE(is_of_a_client(first) && length == 48);
    }
    // Nothing is written behind the reply.
    ASSERT_EQ(reply_[std::max<std::size_t>(length, 48)], kCanary);
    std::memset(reply_.data(), 0xa5, std::max<std::size_t>(length, 48));
  }

  Service service_;
  Responder responder_{Responder::Options{}};
  std::vector<std::byte> reply_ = std::vector<std::byte>(kLongest + 1, kCanary);
  std::array<std::uint64_t, kReasonCount> reasons_{};
};

TEST_P(EveryLength, behind_every_first_octet_gets_one_reason_and_no_longer_reply) {
  std::uint64_t sent = 0;
  for (unsigned first = 0; first < 256; ++first) {
    for (std::size_t length = 0; length <= kLongest; ++length) {
      check(first, length, Fill::kZeros);
      ASSERT_FALSE(HasFatalFailure()) << first << " with " << length << " octets";
      ++sent;
    }
  }
  std::uint64_t counted = 0;
  for (const std::uint64_t it : reasons_) counted += it;
  EXPECT_EQ(counted, sent);
  EXPECT_EQ(sent, 256u * 2049u);
}

TEST_P(EveryLength, of_a_client_with_other_octets_behind_the_first) {
  for (const unsigned first : {0x08U, 0x0bU, 0x13U, 0x1bU, 0x23U, 0xe3U}) {
    for (std::size_t length = 0; length <= kLongest; ++length) {
      for (const Fill fill : {Fill::kOnes, Fill::kOneField}) {
        check(first, length, fill);
        ASSERT_FALSE(HasFatalFailure()) << first << " with " << length << " octets";
      }
    }
  }
  EXPECT_GT(reasons_[static_cast<std::size_t>(Reason::kAnsweredFieldsIgnored)], 900u);
}

INSTANTIATE_TEST_SUITE_P(Keys, EveryLength, testing::Bool(), [](const auto& it) {
  return std::string(it.param ? "with_keys" : "without_keys");
});

}  // namespace
}  // namespace timepool::ntp
