// The whole server under NTS: what RFC 8915 5.7 has it answer, and by which packets.
#include <gtest/gtest.h>

#include <array>
#include <vector>

#include "ntp/server/key_test_support.h"
#include "ntp/server/responder.h"
#include "nts/testing.h"
#include "nts/testing_client.h"

namespace timepool::ntp {
namespace {

using nts::fake::Octets;
using nts::fake::RequestShape;
using wire::ntp::Header;
using wire::ntp::kHeaderSize;

const UnixTime kNow = parse_utc("2026-11-21T12:00:00Z").value();

struct Reply {
  Response response;
  Octets bytes;
  Header header() const {
    ByteReader reader(bytes);
    return wire::ntp::read_header(reader);
  }
};

class NtsServer : public ::testing::Test {
 protected:
  NtsServer() {
    service.state.leap = wire::ntp::Leap::kNone;
    service.state.stratum = 2;
    service.state.reference_time = kNow;
    service.cookies = std::make_shared<nts::CookieKeys>(nts::fake::cookie_keys(1));
    maker.use(*service.cookies);
    rx.received = kNow;
    rx.client = {IpAddress::v4(0xc000'020a), 40'000, 0};
    rx.now = MonoTime::from_ns(5'000'000'000);
  }
  static Responder::Options options() {
    Responder::Options out;
    out.interleaved_replies = 8;
    out.clients = 64;
    out.aeads = std::make_shared<nts::fake::TestAeadMaker>();
    out.random = std::make_shared<nts::fake::SeededRandom>(2);
    return out;
  }
  Octets request(const RequestShape& shape = {}) {
    return nts::fake::make_request(keys, nts::fake::make_cookie(maker, keys), *aead, random, shape);
  }
  Response respond(const Octets& bytes, Octets& out) {
    out.assign(std::max(bytes.size(), kHeaderSize), std::byte{0xee});
    return responder.respond(rx, bytes, service, out);
  }
  void finish(const Response& response, Octets& out) {
    out.resize(response.length);
    responder.finish(response, service, kNow + Duration::microseconds(7), out);
    responder.sent(response, service, kNow + Duration::microseconds(9));
  }
  Reply ask(const Octets& bytes) {
    Reply out;
    out.response = respond(bytes, out.bytes);
    if (out.response.verdict == Verdict::kReply) finish(out.response, out.bytes);
    return out;
  }
  bool authentic(const Reply& reply) {
    return nts::fake::read_reply(reply.bytes, keys, *aead).has_value();
  }
  static Octets rest_of(const Octets& bytes) { return {bytes.begin() + kHeaderSize, bytes.end()}; }

  nts::fake::SeededRandom random{3};
  nts::SessionKeys keys = nts::fake::session_keys(AeadId::kAesSivCmac256, 5);
  std::unique_ptr<Aead> aead = nts::fake::TestAeadMaker().make(keys.aead);
  nts::Cookies maker{nts::fake::TestAeadMaker(), random};
  Service service;
  Responder responder{options()};
  RxInfo rx;
};

TEST_F(NtsServer, NS2_the_proof_is_over_the_header_that_is_sent) {
  const Octets asked = request({.placeholders = 2});
  const Reply got = ask(asked);
  EXPECT_EQ(got.response.reason, Reason::kAnsweredNts);
  EXPECT_EQ(got.bytes.size(), asked.size());
  EXPECT_EQ(got.header().transmit, to_ntp(kNow + Duration::microseconds(7)));
  EXPECT_EQ(got.header().stratum, 2);
  const auto content = nts::fake::read_reply(got.bytes, keys, *aead);
  ASSERT_TRUE(content);
  EXPECT_EQ(content->cookies.size(), 3U);
  Reply changed = got;
  changed.bytes[kHeaderSize - 1] ^= std::byte{1};
  EXPECT_FALSE(authentic(changed));
}

TEST_F(NtsServer, NS1_a_unique_id_comes_back_without_nts_too) {
  const Octets plain = request({.cookies = 0, .authenticators = 0});
  const Reply got = ask(plain);
  EXPECT_EQ(got.response.reason, Reason::kAnsweredFieldsIgnored);
  EXPECT_EQ(rest_of(got.bytes), rest_of(plain));
  // A server that has no keys: the fields of NTS say nothing, and are not sent back.
  service.cookies = nullptr;
  const Octets asked = request();
  const Reply none = ask(asked);
  EXPECT_EQ(none.response.reason, Reason::kAnsweredFieldsIgnored);
  EXPECT_EQ(none.bytes.size(), kHeaderSize + 36);
  EXPECT_TRUE(
      std::equal(none.bytes.begin() + kHeaderSize, none.bytes.end(), asked.begin() + kHeaderSize));
}

TEST_F(NtsServer, NS7_a_nak_has_the_unique_id_and_nothing_else) {
  Octets asked = request();
  asked.back() ^= std::byte{1};
  const Reply got = ask(asked);
  EXPECT_EQ(got.response.reason, Reason::kNtsNak);
  EXPECT_EQ(got.header().stratum, 0);
  EXPECT_EQ(got.header().leap, wire::ntp::Leap::kUnsynchronised);
  EXPECT_EQ(wire::ntp::text_of(got.header().reference_id), "NTSN");
  EXPECT_EQ(got.header().origin.bits(), 0x1122'3344'5566'7788U);
  EXPECT_EQ(got.bytes.size(), kHeaderSize + 36);
  EXPECT_TRUE(
      std::equal(got.bytes.begin() + kHeaderSize, got.bytes.end(), asked.begin() + kHeaderSize));
}

TEST_F(NtsServer, NS7_naks_are_limited_and_authentic_requests_are_not) {
  service.limits.enabled = false;
  Octets wrong = request();
  wrong.back() ^= std::byte{1};
  const auto most = static_cast<int>(NtsAnswer::kNaksAtOnce);
  for (int i = 0; i < most; ++i) ASSERT_EQ(ask(wrong).response.reason, Reason::kNtsNak);
  EXPECT_EQ(ask(wrong).response.reason, Reason::kNtsNakLimited);
  EXPECT_EQ(ask(wrong).response.verdict, Verdict::kDrop);
  EXPECT_EQ(ask(request()).response.reason, Reason::kAnsweredNts);
  rx.now = rx.now + Duration::milliseconds(1);
  EXPECT_EQ(ask(wrong).response.reason, Reason::kNtsNak);
}

TEST_F(NtsServer, NS8_only_clients_of_version_4_have_fields) {
  Octets version3 = request();
  version3[0] = std::byte{0x1b};
  EXPECT_EQ(ask(version3).response.verdict, Verdict::kDrop);
  for (const unsigned mode : {1U, 2U, 4U, 5U, 6U, 7U}) {
    Octets other = request();
    other[0] = static_cast<std::byte>(0x20 | mode);
    EXPECT_EQ(ask(other).response.verdict, Verdict::kDrop) << mode;
  }
}

TEST_F(NtsServer, NS9_fields_have_sixteen_octets_and_a_multiple_of_four_but_for_sealed_ones) {
  for (const std::size_t size : {14U, 17U}) {
    Octets odd = request({.stranger = 40});
    // The stranger is the first field; its length says now where no field begins.
    odd[kHeaderSize + 3] = static_cast<std::byte>(size);
    EXPECT_EQ(ask(odd).response.verdict, Verdict::kDrop) << size;
  }
  // Inside the seal a field of four octets is as good as any.
  const Octets asked = request({.sealed_stranger = 4});
  const Reply got = ask(asked);
  EXPECT_EQ(got.response.reason, Reason::kAnsweredNts);
  EXPECT_TRUE(authentic(got));
}

TEST_F(NtsServer, a_mac_behind_the_fields_proves_nothing_and_takes_nothing_away) {
  const auto key = test_key(10, 1);
  service.keys = std::make_shared<KeyRing>(std::vector{key});
  const auto with_mac = [&](Octets bytes, const SymmetricKey& by) {
    Octets digest(16);
    by.sign(bytes, digest);
    for (const unsigned octet : {0U, 0U, 0U, 10U}) bytes.push_back(static_cast<std::byte>(octet));
    bytes.insert(bytes.end(), digest.begin(), digest.end());
    return bytes;
  };
  // RFC 8915 5.7: the proof of NTS counts, the MAC is not looked at, be it right or wrong.
  for (const auto& by : {key, test_key(10, 99)}) {
    const Octets asked = request();
    const Reply got = ask(with_mac(asked, *by));
    EXPECT_EQ(got.response.reason, Reason::kAnsweredNts);
    EXPECT_EQ(got.bytes.size(), asked.size());
    EXPECT_TRUE(authentic(got));
  }
  // A right MAC does not heal a wrong proof.
  Octets wrong = request();
  wrong.back() ^= std::byte{1};
  EXPECT_EQ(ask(with_mac(wrong, *key)).response.reason, Reason::kNtsNak);
  // Without a cookie and a proof it is a keyed request: its answer has the MAC, and no fields.
  const Octets plain = request({.cookies = 0, .authenticators = 0});
  const Reply keyed = ask(with_mac(plain, *key));
  EXPECT_EQ(keyed.response.reason, Reason::kAnsweredKeyed);
  EXPECT_EQ(keyed.bytes.size(), kHeaderSize + 20);
  EXPECT_EQ(ask(with_mac(plain, *test_key(10, 99))).response.reason, Reason::kBadDigest);
}

TEST_F(NtsServer, what_breaks_the_rules_is_dropped_without_a_word) {
  for (const RequestShape& shape :
       {RequestShape{.unique_ids = 0}, RequestShape{.cookies = 2}, RequestShape{.cookies = 0},
        RequestShape{.placeholders = 1, .placeholder_size = 40}, RequestShape{.nonce = 4}}) {
    const Reply got = ask(request(shape));
    EXPECT_EQ(got.response.reason, Reason::kNtsMalformed);
    EXPECT_EQ(got.response.verdict, Verdict::kDrop);
  }
}

TEST_F(NtsServer, a_kiss_of_the_rate_limits_has_the_unique_id_and_no_proof) {
  service.limits.enabled = true;
  service.limits.address = BucketRate::of(1, 1);
  service.limits.kiss = 1;
  EXPECT_EQ(ask(request()).response.reason, Reason::kAnsweredNts);
  const Octets asked = request();
  const Reply got = ask(asked);
  EXPECT_EQ(got.response.reason, Reason::kRateKod);
  EXPECT_EQ(wire::ntp::text_of(got.header().reference_id), "RATE");
  EXPECT_EQ(got.bytes.size(), kHeaderSize + 36);
}

TEST_F(NtsServer, without_good_time_it_says_so_under_its_proof) {
  service.state.leap = wire::ntp::Leap::kUnsynchronised;
  const Reply got = ask(request());
  EXPECT_EQ(got.response.reason, Reason::kAnsweredUnsynchronised);
  EXPECT_EQ(got.header().leap, wire::ntp::Leap::kUnsynchronised);
  EXPECT_TRUE(authentic(got));
}

TEST_F(NtsServer, interleaved_mode_goes_with_nts) {
  const auto follow = [&](const Header& before) {
    Octets bytes = request();
    ByteReader reader(bytes);
    Header header = wire::ntp::read_header(reader);
    header.origin = before.receive;
    header.receive = NtpTimestamp::from_bits(9);
    // The proof is over the header: it is made anew.
    const Octets rest = rest_of(bytes);
    ByteWriter writer(bytes);
    wire::ntp::write_header(header, writer);
    const std::size_t sealed = bytes.size() - 16;
    aead->set_key(keys.c2s());
    aead->seal(Bytes(bytes).subspan(sealed - 16, 16), Bytes(bytes).first(sealed - 24), {},
               MutableBytes(bytes).last(16));
    return bytes;
  };
  const Reply first = ask(request());
  rx.received = rx.received + Duration::seconds(64);
  const Reply second = ask(follow(first.header()));
  EXPECT_EQ(second.response.reason, Reason::kAnsweredNts);
  EXPECT_FALSE(second.response.interleaved) << "the first did not ask for it";
  rx.received = rx.received + Duration::seconds(64);
  const Reply third = ask(follow(second.header()));
  EXPECT_EQ(third.response.reason, Reason::kAnsweredNts);
  EXPECT_TRUE(third.response.interleaved);
  EXPECT_EQ(third.header().transmit, to_ntp(kNow + Duration::microseconds(9)));
  EXPECT_TRUE(authentic(third));
}

TEST_F(NtsServer, replies_of_a_batch_are_sealed_in_any_order_and_in_the_requests_own_buffers) {
  std::vector<Octets> buffers;
  std::vector<Response> responses;
  for (std::size_t i = 0; i < Responder::kMaxPending; ++i) {
    buffers.push_back(request({.placeholders = i % 8}));
    responses.push_back(responder.respond(rx, buffers[i], service, buffers[i]));
    ASSERT_EQ(responses[i].reason, Reason::kAnsweredNts);
  }
  for (std::size_t i = responses.size(); i-- > 0;) {
    finish(responses[i], buffers[i]);
    const auto content = nts::fake::read_reply(buffers[i], keys, *aead);
    ASSERT_TRUE(content) << i;
    EXPECT_EQ(content->cookies.size(), 1 + i % 8);
  }
}

TEST_F(NtsServer, new_keys_are_used_from_the_next_request_on_and_counted) {
  const Octets old = request();
  EXPECT_EQ(ask(old).response.reason, Reason::kAnsweredNts);
  service.cookies = std::make_shared<nts::CookieKeys>(nts::fake::cookie_keys(2));
  EXPECT_EQ(ask(old).response.reason, Reason::kNtsNak);
  maker.use(*service.cookies);
  EXPECT_EQ(ask(request()).response.reason, Reason::kAnsweredNts);
  nts::CookieCounts counts;
  responder.add_counts(counts);
  EXPECT_EQ(counts.opened[nts::CookieKeys::kCurrent], 2U);
  EXPECT_EQ(counts.made, 2U);
  EXPECT_EQ(counts.unknown_key, 1U);
}

}  // namespace
}  // namespace timepool::ntp
