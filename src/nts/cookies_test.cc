#include "nts/cookies.h"

#include <gtest/gtest.h>

#include <set>

#include "nts/testing.h"
#include "nts/testing_client.h"

namespace timepool::nts {
namespace {

using fake::Octets;

struct Server {
  explicit Server(std::uint64_t serial = 1) { cookies.use(fake::cookie_keys(serial)); }
  fake::SeededRandom random{7};
  Cookies cookies{fake::TestAeadMaker(), random};
};

TEST(Cookies, are_multiples_of_four_octets_and_no_longer_than_104) {
  Server server;
  const Octets siv =
      fake::make_cookie(server.cookies, fake::session_keys(AeadId::kAesSivCmac256, 1));
  const Octets gcm =
      fake::make_cookie(server.cookies, fake::session_keys(AeadId::kAes128GcmSiv, 1));
  EXPECT_EQ(siv.size(), 100U);
  EXPECT_EQ(gcm.size(), 68U);
  EXPECT_EQ(server.cookies.cookie_size(AeadId::kAesSivCmac256), 100U);
  EXPECT_EQ(server.cookies.cookie_size(AeadId::kAes128GcmSiv), 68U);
  EXPECT_LE(siv.size(), kMaxOwnCookie);
}

TEST(Cookies, hold_the_keys_and_are_never_the_same_twice) {
  Server server;
  std::set<Octets> seen;
  for (std::uint64_t i = 0; i < 200; ++i) {
    const AeadId id = i % 2 == 0 ? AeadId::kAesSivCmac256 : AeadId::kAes128GcmSiv;
    const SessionKeys keys = fake::session_keys(id, i / 4);
    const Octets cookie = fake::make_cookie(server.cookies, keys);
    EXPECT_TRUE(seen.insert(cookie).second);
    const auto opened = server.cookies.open(cookie);
    ASSERT_TRUE(opened);
    EXPECT_EQ(*opened, keys);
  }
  CookieCounts counts;
  server.cookies.add_counts(counts);
  EXPECT_EQ(counts.made, 200U);
  EXPECT_EQ(counts.opened[CookieKeys::kCurrent], 200U);
}

TEST(Cookies, of_the_next_and_of_past_keys_open_and_are_counted_by_their_age) {
  fake::SeededRandom random(1);
  CookieKeys keys = fake::cookie_keys(1);
  const SessionKeys session = fake::session_keys(AeadId::kAesSivCmac256, 1);
  Server server;
  for (std::size_t place = 0; place < keys.keys.size(); ++place) {
    // A server whose current key is the one at `place`.
    CookieKeys others;
    others.serial = 1;
    ASSERT_TRUE(others.keys.push_back({}));
    ASSERT_TRUE(others.keys.push_back(keys.keys[place]));
    Cookies other(fake::TestAeadMaker(), random);
    other.use(others);
    EXPECT_EQ(server.cookies.open(fake::make_cookie(other, session)), session);
    CookieCounts counts;
    server.cookies.add_counts(counts);
    EXPECT_EQ(counts.opened[place], 1U);
  }
}

TEST(Cookies, cut_longer_changed_or_of_forgotten_keys_do_not_open) {
  Server server;
  const SessionKeys session = fake::session_keys(AeadId::kAesSivCmac256, 1);
  const Octets cookie = fake::make_cookie(server.cookies, session);
  for (std::size_t size = 0; size < cookie.size(); ++size) {
    EXPECT_FALSE(server.cookies.open(Bytes(cookie).first(size))) << size;
  }
  Octets longer = cookie;
  longer.resize(104);
  EXPECT_FALSE(server.cookies.open(longer));
  for (std::size_t i = 0; i < cookie.size(); ++i) {
    Octets changed = cookie;
    changed[i] ^= std::byte{1};
    EXPECT_FALSE(server.cookies.open(changed)) << i;
  }
  CookieCounts counts;
  server.cookies.add_counts(counts);
  EXPECT_GT(counts.unknown_key, 0U);
  EXPECT_GE(counts.forged, cookie.size() - 4) << "all but the octets of the key's id";
  server.cookies.use(fake::cookie_keys(2));
  EXPECT_FALSE(server.cookies.open(cookie));
}

TEST(Cookies, are_not_made_without_a_key_or_room) {
  fake::SeededRandom random(1);
  Cookies none(fake::TestAeadMaker(), random);
  Octets buffer(200);
  ByteWriter writer(buffer);
  const SessionKeys session = fake::session_keys(AeadId::kAesSivCmac256, 1);
  EXPECT_FALSE(none.make(session, writer));
  EXPECT_EQ(writer.size(), 0U);
  EXPECT_FALSE(none.open(buffer));
  Server server;
  ByteWriter tight(MutableBytes(buffer).first(99));
  EXPECT_FALSE(server.cookies.make(session, tight));
  EXPECT_TRUE(tight.ok());
  EXPECT_EQ(tight.size(), 0U);
}

}  // namespace
}  // namespace timepool::nts
