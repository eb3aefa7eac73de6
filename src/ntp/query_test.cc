#include "ntp/query.h"

#include <gtest/gtest.h>

#include <vector>

#include "ntp/nts_authenticator.h"
#include "ntp/server/responder.h"
#include "nts/testing_server.h"

namespace timepool::ntp {
namespace {

TEST(Query, takes_one_reply_to_its_request) {
  const UnixTime start = UnixTime::from_seconds(1'790'000'000);
  const auto at = [&](std::int64_t ms) {
    const Duration since = Duration::milliseconds(ms);
    return LocalTime{MonoTime() + since, start + since};
  };
  ServerState state;
  state.leap = wire::ntp::Leap::kNone;
  state.stratum = 2;
  state.reference_time = start;
  RandomStream random(SiphashKey{1, 2});
  Query query;
  EXPECT_FALSE(query.waiting());
  const Bytes request = query.start(at(0), random);
  ASSERT_EQ(request.size(), 48u);
  std::vector<std::byte> reply(48);
  respond({at(5).raw, {IpAddress::v4(0xc0000263), 5000, 0}, {}}, request, state, reply);
  set_transmit(reply, state, at(5).raw);

  std::vector<std::byte> forged = reply;
  forged[24] ^= std::byte{1};
  EXPECT_EQ(query.handle_datagram({at(7), at(7).raw}, forged).reason, ReplyReason::kWrongOrigin);
  EXPECT_TRUE(query.waiting());

  const Reply got = query.handle_datagram({at(10), at(10).raw}, reply);
  EXPECT_EQ(got.reason, ReplyReason::kAccepted);
  EXPECT_FALSE(query.waiting());
  EXPECT_EQ(got.sample.stratum, 2);
  EXPECT_LE(got.sample.offset.abs(), Duration::nanoseconds(2));
  EXPECT_LE((got.sample.delay - Duration::milliseconds(10)).abs(), Duration::nanoseconds(2));
}

TEST(Query, each_attempt_has_its_own_timestamp) {
  RandomStream random(SiphashKey{1, 2});
  Query query;
  const Bytes first = query.start({}, random);
  const std::vector<std::byte> before(first.begin(), first.end());
  const Bytes second = query.start({}, random);
  EXPECT_FALSE(std::equal(before.begin(), before.end(), second.begin()));
}

TEST(Query, takes_only_what_its_authenticator_proves) {
  nts::fake::TestServer server(5);
  const nts::fake::TestAeadMaker aeads;
  nts::Establishment keys = server.establish();
  keys.cookies.resize(1);
  NtsAuthenticator proof(aeads, keys);
  Query query({}, proof);
  RandomStream random(SiphashKey{1, 2});
  const UnixTime start = UnixTime::from_seconds(1'790'000'000);
  const LocalTime now{MonoTime(), start};
  const Bytes request = query.start(now, random);
  ASSERT_GT(request.size(), 48u);
  ServerState state;
  state.leap = wire::ntp::Leap::kNone;
  state.stratum = 2;
  state.reference_time = start;
  std::vector<std::byte> header(48);
  respond({now.raw, {IpAddress::v4(0xc0000263), 5000, 0}, {}}, request.first(48), state, header);
  set_transmit(header, state, now.raw);
  EXPECT_EQ(query.handle_datagram({now, now.raw}, header).reason, ReplyReason::kNotAuthentic);
  const std::vector<std::byte> reply = server.answer(request, header);
  EXPECT_TRUE(is_answer(query.handle_datagram({now, now.raw}, reply).reason));
  EXPECT_FALSE(query.waiting());
}

TEST(Query, without_a_proof_nothing_is_sent) {
  const nts::fake::TestAeadMaker aeads;
  nts::Establishment keys = nts::fake::TestServer(5).establish();
  keys.cookies.resize(1);
  NtsAuthenticator proof(aeads, keys);
  Query query({}, proof);
  RandomStream random(SiphashKey{1, 2});
  EXPECT_FALSE(query.start({}, random).empty());
  EXPECT_TRUE(query.start({}, random).empty());
}

}  // namespace
}  // namespace timepool::ntp
