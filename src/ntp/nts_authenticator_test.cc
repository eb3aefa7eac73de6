#include "ntp/nts_authenticator.h"

#include <gtest/gtest.h>

#include <set>

#include "ntp/exchange.h"
#include "nts/testing_server.h"
#include "wire/ntp/packet.h"

namespace timepool::ntp {
namespace {

constexpr std::size_t kBuffer = 1232;

std::vector<std::byte> reply_header() {
  wire::ntp::Header header;
  header.version = 4;
  header.mode = wire::ntp::Mode::kServer;
  header.stratum = 2;
  std::vector<std::byte> out(wire::ntp::kHeaderSize);
  ByteWriter writer(out);
  wire::ntp::write_header(header, writer);
  return out;
}

class NtsAuthenticatorTest : public testing::Test {
 protected:
  NtsAuthenticatorTest() : auth_(aeads_, server_.establish()) {}

  std::vector<std::byte> request() {
    std::vector<std::byte> out(kBuffer);
    ByteWriter writer(out);
    wire::ntp::Header header;
    header.version = 4;
    header.mode = wire::ntp::Mode::kClient;
    wire::ntp::write_header(header, writer);
    if (!auth_.protect(writer, random_)) return {};
    out.resize(writer.size());
    return out;
  }
  AuthVerdict check(Bytes reply) {
    const auto packet = wire::ntp::parse_packet(reply);
    EXPECT_TRUE(packet.ok());
    return auth_.check(*packet, reply);
  }
  AuthVerdict ask() { return check(server_.answer(request(), reply_header())); }
  std::size_t placeholders_of(Bytes request) {
    std::size_t out = 0;
    const auto packet = wire::ntp::parse_packet(request);
    for (const auto& field : packet->fields) {
      if (field.type == wire::ntp::field_type::kNtsCookiePlaceholder) ++out;
    }
    return out;
  }

  nts::fake::TestAeadMaker aeads_;
  nts::fake::TestServer server_{5};
  RandomStream random_{{1, 2}};
  NtsAuthenticator auth_;
};

TEST_F(NtsAuthenticatorTest, NC4_keeps_eight_cookies) {
  for (int i = 0; i < 100; ++i) {
    EXPECT_EQ(ask(), AuthVerdict::kAuthentic);
    EXPECT_EQ(auth_.cookies(), nts::kMaxCookies);
  }
  EXPECT_EQ(server_.reused(), 0U);
  EXPECT_TRUE(auth_.proven());
}

TEST_F(NtsAuthenticatorTest, NC4_asks_for_what_was_lost) {
  for (int i = 0; i < 3; ++i) EXPECT_FALSE(request().empty());
  EXPECT_EQ(placeholders_of(request()), 3U);
  EXPECT_EQ(ask(), AuthVerdict::kAuthentic);
  EXPECT_EQ(auth_.cookies(), nts::kMaxCookies);
}

TEST_F(NtsAuthenticatorTest, NC5_sends_nothing_without_a_cookie) {
  for (int i = 0; i < 8; ++i) EXPECT_FALSE(request().empty());
  EXPECT_TRUE(request().empty());
  EXPECT_EQ(auth_.cookies(), 0U);
}

TEST_F(NtsAuthenticatorTest, NC10_a_reserve_is_not_spent) {
  auth_.set_reserve(1);
  for (int i = 0; i < 7; ++i) EXPECT_FALSE(request().empty());
  EXPECT_TRUE(request().empty());
  auth_.set_reserve(0);
  EXPECT_FALSE(request().empty());
}

TEST_F(NtsAuthenticatorTest, NC1_every_request_has_another_id_and_nonce) {
  const auto first = request();
  const auto second = request();
  const auto a = wire::ntp::parse_packet(first);
  const auto b = wire::ntp::parse_packet(second);
  EXPECT_FALSE(std::ranges::equal(a->fields[0].body, b->fields[0].body));
  EXPECT_FALSE(std::ranges::equal(a->field(0x0404)->body, b->field(0x0404)->body));
}

TEST_F(NtsAuthenticatorTest, NC11_the_header_says_nothing_but_version_mode_and_a_random_timestamp) {
  Exchange exchange{ExchangeConfig{}};
  std::array<std::vector<std::byte>, 2> sent;
  for (auto& one : sent) {
    one.resize(kBuffer);
    ByteWriter writer(one);
    const LocalTime now{MonoTime::from_ns(1'000'000'000), UnixTime::from_seconds(1'790'000'000)};
    ASSERT_TRUE(exchange.start(now, 6, random_, auth_, writer));
    one.resize(writer.size());
    EXPECT_EQ(one[0], std::byte{0x23});
    EXPECT_TRUE(
        std::all_of(&one[1], &one[40], [](std::byte octet) { return octet == std::byte{0}; }));
  }
  EXPECT_FALSE(std::equal(&sent[0][40], &sent[0][48], &sent[1][40]));
}

TEST_F(NtsAuthenticatorTest, NC6_a_second_answer_proves_nothing) {
  const auto reply = server_.answer(request(), reply_header());
  EXPECT_EQ(check(reply), AuthVerdict::kAuthentic);
  EXPECT_EQ(check(reply), AuthVerdict::kNotAuthentic);
  EXPECT_EQ(auth_.cookies(), nts::kMaxCookies);
}

TEST_F(NtsAuthenticatorTest, NC6_answers_to_an_earlier_request_prove_nothing) {
  const auto late = server_.answer(request(), reply_header());
  const auto next = server_.answer(request(), reply_header());
  EXPECT_EQ(check(late), AuthVerdict::kNotAuthentic);
  EXPECT_EQ(check(next), AuthVerdict::kAuthentic);
}

TEST_F(NtsAuthenticatorTest, NC8_authentic_answer_after_a_nak_is_taken) {
  const auto sent = request();
  const auto packet = wire::ntp::parse_packet(sent);
  const auto nak = nts::fake::TestServer::nak(reply_header(), packet->fields[0].body);
  for (int i = 0; i < 100; ++i) EXPECT_EQ(check(nak), AuthVerdict::kNak);
  EXPECT_EQ(auth_.naks(), 1U) << "a flood counts as one";
  EXPECT_EQ(check(server_.answer(sent, reply_header())), AuthVerdict::kAuthentic);
  EXPECT_EQ(auth_.naks(), 0U);
}

TEST_F(NtsAuthenticatorTest, T4_naks_without_the_id_count_for_nothing) {
  static_cast<void>(request());
  const nts::UniqueId guess{};
  for (int i = 0; i < 100; ++i) {
    EXPECT_EQ(check(nts::fake::TestServer::nak(reply_header(), guess)), AuthVerdict::kNotAuthentic);
  }
  EXPECT_EQ(auth_.naks(), 0U);
}

TEST_F(NtsAuthenticatorTest, a_server_that_lost_its_keys_refuses_until_they_are_renewed) {
  EXPECT_EQ(ask(), AuthVerdict::kAuthentic);
  server_.lose_keys();
  EXPECT_EQ(ask(), AuthVerdict::kNak);
  EXPECT_EQ(ask(), AuthVerdict::kNak);
  EXPECT_EQ(auth_.naks(), 2U);
  auth_.renew(server_.establish());
  EXPECT_EQ(ask(), AuthVerdict::kAuthentic);
  EXPECT_EQ(auth_.cookies(), nts::kMaxCookies) << "the old ones are gone";
}

TEST_F(NtsAuthenticatorTest, old_cookies_stay_until_the_new_ones_work) {
  EXPECT_EQ(ask(), AuthVerdict::kAuthentic);
  nts::fake::TestServer stranger(99);
  stranger.lose_keys();
  auth_.renew(stranger.establish());  // cookies that this server does not know
  EXPECT_EQ(auth_.cookies(), 2 * nts::kMaxCookies);
  EXPECT_EQ(ask(), AuthVerdict::kNak);
  EXPECT_EQ(ask(), AuthVerdict::kAuthentic) << "the old ones' turn";
  EXPECT_EQ(auth_.cookies(), nts::kMaxCookies - 1 + nts::kMaxCookies);
}

TEST_F(NtsAuthenticatorTest, tries_the_other_keys_of_an_unclear_establishment_on_a_nak) {
  nts::Establishment unclear = server_.establish(AeadId::kAes128GcmSiv);
  unclear.other_keys = unclear.keys;
  unclear.keys.client_to_server[0] ^= std::byte{1};
  NtsAuthenticator auth(aeads_, unclear);
  const auto ask = [&] {
    std::vector<std::byte> out(kBuffer);
    ByteWriter writer(out);
    wire::ntp::Header header;
    header.version = 4;
    header.mode = wire::ntp::Mode::kClient;
    wire::ntp::write_header(header, writer);
    EXPECT_TRUE(auth.protect(writer, random_));
    const auto reply = server_.answer(writer.written(), reply_header());
    return auth.check(*wire::ntp::parse_packet(reply), reply);
  };
  EXPECT_EQ(ask(), AuthVerdict::kNak);
  EXPECT_EQ(auth.naks(), 0U);
  EXPECT_EQ(ask(), AuthVerdict::kAuthentic);
}

TEST_F(NtsAuthenticatorTest, saved_session_has_the_cookies_that_are_left) {
  EXPECT_EQ(ask(), AuthVerdict::kAuthentic);
  static_cast<void>(request());
  const auto saved = auth_.saved(nts::kMaxCookies);
  ASSERT_TRUE(saved);
  EXPECT_EQ(saved->cookies.size(), 7U);
  NtsAuthenticator next(aeads_, *saved);
  EXPECT_EQ(next.cookies(), 7U);
}

TEST_F(NtsAuthenticatorTest, NC10_says_when_a_request_needs_the_disk_written_first) {
  auth_.set_written(2);
  for (int i = 0; i < 100; ++i) {
    EXPECT_EQ(ask(), AuthVerdict::kAuthentic);
    EXPECT_FALSE(auth_.owes_write()) << "an answer brings another cookie";
  }
  for (int i = 0; i < 6; ++i) static_cast<void>(request());
  EXPECT_FALSE(auth_.owes_write());
  static_cast<void>(request());
  EXPECT_TRUE(auth_.owes_write());
  EXPECT_EQ(auth_.saved(2)->cookies.size(), 1U);
  auth_.set_written(2);
  EXPECT_FALSE(auth_.owes_write());
}

TEST_F(NtsAuthenticatorTest, NC10_a_disk_that_fails_costs_the_request_and_what_is_written) {
  auth_.set_written(nts::kMaxCookies);
  static_cast<void>(request());
  ASSERT_TRUE(auth_.owes_write());
  auth_.lose_written();
  auth_.handle_unsent();
  EXPECT_EQ(auth_.cookies(), 0U);
  EXPECT_FALSE(auth_.owes_write());
}

TEST_F(NtsAuthenticatorTest, NC10_of_two_sessions_one_is_written_down) {
  EXPECT_EQ(ask(), AuthVerdict::kAuthentic);
  auth_.set_written(2);
  auth_.renew(server_.establish());
  EXPECT_EQ(auth_.saved(2)->cookies.size(), 2U);
  auth_.set_written(2);
  // The old ones are free: turn by turn, six of the new and all of the old.
  for (int i = 0; i < 6; ++i) static_cast<void>(request());
  EXPECT_FALSE(auth_.owes_write());
}

TEST_F(NtsAuthenticatorTest, tells_the_length_of_its_cookies) {
  const std::size_t size = server_.establish().cookies.front().size();
  EXPECT_EQ(auth_.state().cookie_size, size);
  static_cast<void>(request());
  EXPECT_EQ(auth_.state().cookie_size, size);
}

TEST_F(NtsAuthenticatorTest, a_cookie_that_was_not_sent_is_given_back) {
  for (int i = 0; i < 100; ++i) {
    EXPECT_FALSE(request().empty());
    auth_.handle_unsent();
    auth_.handle_unsent();
    EXPECT_EQ(auth_.cookies(), nts::kMaxCookies);
  }
  EXPECT_EQ(ask(), AuthVerdict::kAuthentic);
}

// A server whose cookies have another length from one day on: so have the placeholders.
TEST_F(NtsAuthenticatorTest, NC4_placeholders_are_as_long_as_the_cookie_beside_them) {
  nts::Establishment session = server_.establish();
  std::size_t size = 32;
  for (nts::Cookie& cookie : session.cookies) cookie.resize(size += 12);
  auth_.renew(session);
  std::set<std::size_t> seen;
  for (std::size_t i = 0; i < nts::kMaxCookies; ++i) {
    const auto sent = request();
    const auto packet = wire::ntp::parse_packet(sent);
    const std::size_t cookie = packet->field(wire::ntp::field_type::kNtsCookie)->body.size();
    seen.insert(cookie);
    for (const auto& field : packet->fields) {
      if (field.type != wire::ntp::field_type::kNtsCookiePlaceholder) continue;
      EXPECT_EQ(field.body.size(), cookie);
    }
  }
  EXPECT_EQ(seen.size(), nts::kMaxCookies);
}

TEST_F(NtsAuthenticatorTest, NC4_long_cookies_leave_room_for_fewer_placeholders) {
  nts::Establishment session = server_.establish();
  for (nts::Cookie& cookie : session.cookies) cookie.resize(400);
  session.cookies.resize(1);
  auth_.renew(session);
  const auto sent = request();
  EXPECT_EQ(placeholders_of(sent), 1U);
  EXPECT_LE(sent.size() + 48, 1280U);
}

}  // namespace
}  // namespace timepool::ntp
