// The server's half of the checklist of RFC 8915 5, NS1 to NS11 where they concern the fields.
#include "nts/answerer.h"

#include <gtest/gtest.h>

#include <array>
#include <set>

#include "nts/testing.h"
#include "nts/testing_client.h"

namespace timepool::nts {
namespace {

using fake::Octets;
using fake::RequestShape;
using wire::ntp::kHeaderSize;

constexpr std::array<AeadId, 2> kBoth = {AeadId::kAesSivCmac256, AeadId::kAes128GcmSiv};

class Server : public ::testing::TestWithParam<AeadId> {
 protected:
  Server() { answerer.use(fake::cookie_keys(1)); }

  std::unique_ptr<Aead> aead() const { return fake::TestAeadMaker().make(GetParam()); }
  Octets cookie() {
    Cookies maker(fake::TestAeadMaker(), random);
    maker.use(fake::cookie_keys(1));
    return fake::make_cookie(maker, keys);
  }
  Octets request(const RequestShape& shape = {}) {
    return fake::make_request(keys, cookie(), *aead(), random, shape);
  }
  Asked judge(const Octets& bytes) {
    const auto packet = wire::ntp::parse_packet(bytes);
    EXPECT_TRUE(packet.ok());
    return answerer.judge(bytes, *packet);
  }
  AskVerdict verdict(const RequestShape& shape) { return judge(request(shape)).verdict; }
  // The sealed reply to what must be authentic; in the request's own buffer.
  Octets reply(Octets bytes) {
    const Asked asked = judge(bytes);
    EXPECT_EQ(asked.verdict, AskVerdict::kAuthentic);
    if (asked.verdict != AskVerdict::kAuthentic) return {};
    ByteWriter writer(bytes);
    wire::ntp::Header header;
    header.mode = wire::ntp::Mode::kServer;
    wire::ntp::write_header(header, writer);
    const Seal seal = answerer.write(asked, writer);
    EXPECT_EQ(writer.size(), asked.size);
    bytes.resize(writer.size());
    answerer.seal(seal, bytes);
    return bytes;
  }
  std::size_t cookies_for(const RequestShape& shape) {
    const auto content = fake::read_reply(reply(request(shape)), keys, *aead());
    return content ? content->cookies.size() : 0;
  }

  fake::SeededRandom random{3};
  SessionKeys keys = fake::session_keys(GetParam(), 5);
  Answerer answerer{fake::TestAeadMaker(), random};
};

TEST_P(Server, NS1_NS2_a_reply_has_the_unique_id_and_one_proof_by_the_server_key) {
  const Octets asked = request();
  const auto content = fake::read_reply(reply(asked), keys, *aead());
  ASSERT_TRUE(content);
  EXPECT_TRUE(std::equal(content->unique_id.begin(), content->unique_id.end(),
                         asked.begin() + kHeaderSize + 4));
  ASSERT_EQ(content->cookies.size(), 1U);
  // Nobody with other keys takes it for theirs.
  EXPECT_FALSE(fake::read_reply(reply(asked), fake::session_keys(GetParam(), 6), *aead()));
}

TEST_P(Server, NS3_as_many_new_cookies_as_placeholders_allow_and_never_more_than_eight) {
  for (std::size_t i = 0; i <= 7; ++i) EXPECT_EQ(cookies_for({.placeholders = i}), 1 + i);
  EXPECT_EQ(cookies_for({.placeholders = 12}), 8U);
  std::set<Octets> seen;
  const auto content = fake::read_reply(reply(request({.placeholders = 7})), keys, *aead());
  ASSERT_TRUE(content);
  for (const Octets& it : content->cookies) {
    EXPECT_TRUE(seen.insert(it).second);
    // Each is good for the next request.
    const Octets next = fake::make_request(keys, it, *aead(), random);
    EXPECT_EQ(judge(next).verdict, AskVerdict::kAuthentic);
  }
}

TEST_P(Server, NS3_a_placeholder_that_has_not_the_size_of_the_cookie_is_malformed) {
  const std::size_t size = cookie().size();
  EXPECT_EQ(verdict({.placeholders = 1, .placeholder_size = size - 4}), AskVerdict::kMalformed);
  EXPECT_EQ(verdict({.placeholders = 2, .placeholder_size = size + 4}), AskVerdict::kMalformed);
  EXPECT_EQ(verdict({.sealed_placeholders = 1, .placeholder_size = size + 4}),
            AskVerdict::kMalformed);
}

TEST_P(Server, NS4_a_reply_is_as_long_as_its_request) {
  for (const RequestShape& shape :
       {RequestShape{}, RequestShape{.unique_id = 64}, RequestShape{.placeholders = 7},
        RequestShape{.placeholders = 10}, RequestShape{.sealed_placeholders = 3},
        RequestShape{.padding = 40}, RequestShape{.stranger = 60}}) {
    const Octets asked = request(shape);
    EXPECT_EQ(reply(asked).size(), asked.size());
  }
}

TEST_P(Server, NS5_what_stands_behind_the_authenticator_is_not_looked_at) {
  const std::size_t size = cookie().size();
  const Octets asked = request({.behind = size});
  const Octets got = reply(asked);
  EXPECT_EQ(got.size(), asked.size() - size - 4);
  EXPECT_EQ(fake::read_reply(got, keys, *aead())->cookies.size(), 1U);
  EXPECT_EQ(cookies_for({.authenticators = 2}), 1U);
}

TEST_P(Server, NS6_a_short_nonce_without_its_padding_is_malformed) {
  if (GetParam() == AeadId::kAes128GcmSiv) {
    EXPECT_EQ(verdict({.nonce = 16}), AskVerdict::kMalformed) << "it takes 12 octets only";
    EXPECT_EQ(verdict({.nonce = 8, .padding = 20}), AskVerdict::kMalformed);
    return;
  }
  EXPECT_EQ(verdict({.nonce = 12}), AskVerdict::kMalformed);
  EXPECT_EQ(verdict({.nonce = 12, .padding = 4}), AskVerdict::kAuthentic);
  EXPECT_EQ(verdict({.nonce = 1, .padding = 8}), AskVerdict::kMalformed);
  EXPECT_EQ(verdict({.nonce = 1, .padding = 12}), AskVerdict::kAuthentic);
  EXPECT_EQ(verdict({.nonce = 32}), AskVerdict::kAuthentic);
  EXPECT_EQ(verdict({.nonce = 15}), AskVerdict::kAuthentic) << "15 are padded to 16";
}

TEST_P(Server, NS7_a_cookie_that_does_not_open_or_a_wrong_proof_is_told_by_a_nak) {
  Octets asked = request();
  const std::size_t cookie_at = kHeaderSize + 36 + 4;
  for (const std::size_t at : {cookie_at, cookie_at + 30, asked.size() - 1, kHeaderSize - 1}) {
    Octets changed = asked;
    changed[at] ^= std::byte{4};
    const Asked got = judge(changed);
    EXPECT_EQ(got.verdict, AskVerdict::kNak) << at;
    EXPECT_EQ(got.unique_id.size(), 32U);
  }
  answerer.use(fake::cookie_keys(2));
  EXPECT_EQ(judge(asked).verdict, AskVerdict::kNak);
}

TEST_P(Server, NS10_placeholders_that_are_sealed_count_too) {
  EXPECT_EQ(cookies_for({.sealed_placeholders = 3}), 4U);
  EXPECT_EQ(cookies_for({.placeholders = 2, .sealed_placeholders = 3}), 6U);
  EXPECT_EQ(cookies_for({.placeholders = 5, .sealed_placeholders = 9}), 8U);
}

TEST_P(Server, NS11_a_field_of_another_type_is_taken_and_never_sent_back) {
  const Octets got = reply(request({.stranger = 40}));
  EXPECT_TRUE(fake::read_reply(got, keys, *aead())) << "it has two fields, and no other";
}

TEST_P(Server, more_or_less_than_one_of_each_field_is_malformed) {
  EXPECT_EQ(verdict({.unique_ids = 0}), AskVerdict::kMalformed);
  EXPECT_EQ(verdict({.unique_ids = 2}), AskVerdict::kMalformed);
  EXPECT_EQ(verdict({.cookies = 0}), AskVerdict::kMalformed);
  EXPECT_EQ(verdict({.cookies = 2}), AskVerdict::kMalformed);
  EXPECT_EQ(verdict({.authenticators = 0}), AskVerdict::kMalformed);
  EXPECT_EQ(verdict({.unique_id = 28}), AskVerdict::kMalformed);
}

TEST_P(Server, without_keys_or_fields_of_nts_there_is_at_most_a_unique_id) {
  const Asked plain = judge(request({.cookies = 0, .authenticators = 0}));
  EXPECT_EQ(plain.verdict, AskVerdict::kNone);
  EXPECT_EQ(plain.unique_id.size(), 32U);
  Answerer none(fake::TestAeadMaker(), random);
  const Octets asked = request();
  const Asked got = none.judge(asked, wire::ntp::parse_packet(asked).value());
  EXPECT_EQ(got.verdict, AskVerdict::kNone);
  EXPECT_EQ(got.unique_id.size(), 32U);
}

TEST_P(Server, an_authenticator_whose_lengths_do_not_fit_is_malformed) {
  const Octets good = request();
  const std::size_t at = good.size() - 8 - (nonce_size(GetParam()) + 16) + 4;
  for (const unsigned length : {0U, 1U, 15U, 17U, 18U, 200U, 65'535U}) {
    for (const std::size_t field : {at, at + 2}) {
      Octets bad = good;
      bad[field] = static_cast<std::byte>(length >> 8);
      bad[field + 1] = static_cast<std::byte>(length & 0xff);
      if (bad == good) continue;
      EXPECT_NE(judge(bad).verdict, AskVerdict::kAuthentic) << length << " at " << field;
    }
  }
}

TEST_P(Server, each_reply_has_another_nonce) {
  const Octets asked = request();
  EXPECT_NE(reply(asked), reply(asked));
}

INSTANTIATE_TEST_SUITE_P(Answerer, Server, ::testing::ValuesIn(kBoth));

TEST(EchoUniqueId, is_the_same_field_and_nothing_where_it_would_have_to_grow) {
  Octets buffer(100);
  ByteWriter writer(buffer);
  const Octets id(32, std::byte{9});
  echo_unique_id(id, writer);
  EXPECT_EQ(writer.size(), 36U);
  ByteWriter none(buffer);
  echo_unique_id({}, none);
  echo_unique_id(Bytes(id).first(20), none);
  EXPECT_EQ(none.size(), 0U);
}

}  // namespace
}  // namespace timepool::nts
