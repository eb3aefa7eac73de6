#include "dns/shortened.h"

#include <gtest/gtest.h>

#include "base/hex.h"
#include "dns/testing.h"

namespace timepool::dns {
namespace {

using dns::testing::Ask;
using dns::testing::Got;
using wire::dns::Header;
using wire::dns::Rcode;

Got asked(const Ask& ask) {
  static const auto zones = dns::testing::compile(
      {{"pool.test", R"({"data": {"": {"a": [["192.0.2.1"], ["192.0.2.2"]]}}})"}});
  return dns::testing::ask(*zones, ask);
}

wire::dns::Message cut(Got& got, std::uint16_t (*shorten)(MutableBytes, const ReplyParts&)) {
  got.bytes.resize(shorten(got.bytes, got.outcome.parts()));
  return wire::dns::parse_message(got.bytes).value();
}

TEST(Shortened, a_truncated_reply_has_its_question_and_its_options) {
  const auto cookie = from_hex("2464c4abcf10c957").value();
  Got got = asked({.name = "PoOl.test", .subnet = "198.18.0.0/16", .cookie = cookie, .nsid = true});
  const auto before = got.message->edns();
  const auto message = cut(got, shorten_to_truncated);
  EXPECT_TRUE(message.header().has(Header::kTc));
  EXPECT_TRUE(message.header().has(Header::kQr));
  EXPECT_EQ(message.rcode(), Rcode::kNoError);
  got.message = message;
  EXPECT_TRUE(got.answers().empty() && got.authority().empty());
  ASSERT_TRUE(message.edns());
  EXPECT_EQ(to_hex(message.edns()->cookie->server), to_hex(before->cookie->server));
  EXPECT_TRUE(message.edns()->nsid && message.edns()->client_subnet);
}

TEST(Shortened, a_reply_without_options_is_header_and_question) {
  Got got = asked({.name = "no.pool.test"});
  EXPECT_EQ(got.outcome.rcode, Rcode::kNxDomain);
  const auto message = cut(got, shorten_to_truncated);
  EXPECT_EQ(got.bytes.size(), 12U + 14 + 4);
  EXPECT_EQ(message.rcode(), Rcode::kNoError);
  EXPECT_FALSE(message.edns());
}

TEST(Shortened, bad_cookie_is_an_extended_code_beside_a_good_cookie) {
  Got got = asked({.name = "pool.test", .cookie = from_hex("2464c4abcf10c957").value()});
  const auto message = cut(got, shorten_to_bad_cookie);
  EXPECT_EQ(message.rcode(), Rcode::kBadCookie);
  EXPECT_FALSE(message.header().has(Header::kTc));
  EXPECT_EQ(message.edns()->cookie->server.size(), 16U);
}

}  // namespace
}  // namespace timepool::dns
