#include "nts/cookie_jar.h"

#include <gtest/gtest.h>

#include <set>

namespace timepool::nts {
namespace {

Cookie cookie_of(unsigned number, std::size_t size = 100) {
  Cookie out(size, std::byte{0xc0});
  out[0] = static_cast<std::byte>(number & 0xff);
  if (size > 1) out[1] = static_cast<std::byte>(number >> 8 & 0xff);
  return out;
}

Establishment with(unsigned count) {
  Establishment out;
  for (unsigned i = 0; i < count; ++i) out.cookies.push_back(cookie_of(i));
  return out;
}

TEST(CookieJar, NC5_T5_hands_out_no_cookie_twice) {
  CookieJar jar(with(8));
  std::set<Cookie> seen;
  unsigned next = 8;
  for (int round = 0; round < 1000; ++round) {
    const auto cookie = jar.take();
    ASSERT_TRUE(cookie);
    EXPECT_TRUE(seen.insert(*cookie).second) << "round " << round;
    EXPECT_FALSE(jar.put(*cookie)) << "a server that gives back what it got";
    EXPECT_TRUE(jar.put(cookie_of(next++)));
  }
}

TEST(CookieJar, holds_eight_at_the_most) {
  CookieJar jar(with(12));
  EXPECT_EQ(jar.size(), kMaxCookies);
  EXPECT_FALSE(jar.put(cookie_of(99)));
}

TEST(CookieJar, refuses_one_that_is_there_already) {
  CookieJar jar(with(2));
  EXPECT_FALSE(jar.put(cookie_of(1)));
  EXPECT_TRUE(jar.put(cookie_of(2)));
}

TEST(CookieJar, KEC10_takes_cookies_of_any_length_up_to_the_limit) {
  CookieJar jar(Establishment{});
  EXPECT_FALSE(jar.put(Cookie()));
  EXPECT_TRUE(jar.put(cookie_of(1, 1)));
  EXPECT_TRUE(jar.put(cookie_of(2, 101)));
  EXPECT_TRUE(jar.put(cookie_of(3, kMaxCookieSize)));
  EXPECT_FALSE(jar.put(cookie_of(4, kMaxCookieSize + 1)));
  EXPECT_EQ(jar.take()->size(), 1U);
}

TEST(CookieJar, is_empty_after_its_last) {
  CookieJar jar(with(1));
  EXPECT_TRUE(jar.take());
  EXPECT_TRUE(jar.empty());
  EXPECT_FALSE(jar.take());
}

TEST(CookieJar, NC10_hands_out_what_is_written_down_last_and_says_so) {
  CookieJar jar(with(4));
  jar.set_written(2);
  EXPECT_EQ(jar.newest(2), (std::vector<Cookie>{cookie_of(2), cookie_of(3)}));
  EXPECT_EQ(jar.take(), cookie_of(0));
  EXPECT_EQ(jar.take(), cookie_of(1));
  EXPECT_FALSE(jar.owes_write());
  ASSERT_TRUE(jar.put(cookie_of(4)));
  EXPECT_EQ(jar.take(), cookie_of(4)) << "newer than those that are written down";
  EXPECT_FALSE(jar.owes_write());
  EXPECT_EQ(jar.take(), cookie_of(2));
  EXPECT_TRUE(jar.owes_write());
  EXPECT_EQ(jar.newest(8), std::vector<Cookie>{cookie_of(3)});
  jar.set_written(1);
  EXPECT_FALSE(jar.owes_write());
}

TEST(CookieJar, NC10_what_was_written_down_is_free_when_newer_ones_are) {
  CookieJar jar(with(2));
  jar.set_written(2);
  ASSERT_TRUE(jar.put(cookie_of(2)));
  ASSERT_TRUE(jar.put(cookie_of(3)));
  jar.set_written(2);
  EXPECT_EQ(jar.take(), cookie_of(0));
  EXPECT_EQ(jar.take(), cookie_of(1));
  EXPECT_FALSE(jar.owes_write());
}

TEST(CookieJar, NC10_one_that_was_not_sent_is_owed_until_the_disk_is_written) {
  CookieJar jar(with(1));
  jar.set_written(1);
  jar.give_back(*jar.take());
  EXPECT_TRUE(jar.owes_write());
  EXPECT_EQ(jar.take(), cookie_of(0));
  EXPECT_TRUE(jar.owes_write());
  jar.set_written(1);
  jar.give_back(cookie_of(0));
  EXPECT_EQ(jar.take(), cookie_of(0));
  EXPECT_FALSE(jar.owes_write());
}

TEST(CookieJar, NC10_a_disk_that_fails_costs_what_is_written_on_it) {
  CookieJar jar(with(3));
  jar.set_written(2);
  jar.lose_written();
  EXPECT_EQ(jar.size(), 1U);
  EXPECT_EQ(jar.take(), cookie_of(0));
  EXPECT_FALSE(jar.owes_write());
}

TEST(CookieJar, NC4_asks_for_as_many_as_are_missing) {
  EXPECT_EQ(placeholders_wanted(7, 100, 1000), 0U);
  EXPECT_EQ(placeholders_wanted(6, 100, 1000), 1U);
  EXPECT_EQ(placeholders_wanted(0, 100, 1000), 7U);
  EXPECT_EQ(placeholders_wanted(8, 100, 1000), 0U);
}

TEST(CookieJar, NC4_asks_for_no_more_than_fit_the_packet) {
  EXPECT_EQ(placeholders_wanted(0, 500, 1000), 1U);
  EXPECT_EQ(placeholders_wanted(0, 1100, 1000), 0U);
  // A field has 16 octets at least.
  EXPECT_EQ(placeholders_wanted(0, 1, 47), 2U);
}

}  // namespace
}  // namespace timepool::nts
