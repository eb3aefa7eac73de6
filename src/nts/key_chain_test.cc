#include "nts/key_chain.h"

#include <gtest/gtest.h>

#include <set>

#include "base/siphash.h"

namespace timepool::nts {
namespace {

constexpr Duration kDay = Duration::seconds(86'400);
const UnixTime kNow = parse_utc("2026-11-21T12:00:00Z").value();

// No HMAC, but as one-way as these tests need it.
std::array<std::byte, 32> test_hmac(Bytes key, Bytes message) {
  std::array<std::byte, 32> out{};
  for (std::uint64_t i = 0; i < 4; ++i) {
    const std::uint64_t half = siphash24({i, 77}, key);
    const std::uint64_t word = siphash24({half, i}, message);
    for (unsigned j = 0; j < 8; ++j) out[i * 8 + j] = static_cast<std::byte>(word >> j * 8);
  }
  return out;
}

ChainSecret secret(unsigned value) {
  ChainSecret out;
  out.fill(static_cast<std::byte>(value));
  return out;
}

KeyChain chain_at(UnixTime now, std::size_t past = 8) {
  KeyChain out = KeyChain::begin(secret(1), kDay, now);
  EXPECT_EQ(out.advance(now, past, test_hmac), ChainStep::kRotated);
  return out;
}

TEST(KeyChain, the_next_key_becomes_the_current_one_and_that_a_past_one) {
  KeyChain chain = chain_at(kNow);
  const CookieKeys before = chain.keys(1);
  EXPECT_EQ(before.keys.size(), 2U);
  EXPECT_EQ(chain.next_epoch(), parse_utc("2026-11-22T00:00:00Z").value());
  EXPECT_EQ(chain.advance(chain.next_epoch() - Duration::nanoseconds(1), 8, test_hmac),
            ChainStep::kSame);
  EXPECT_EQ(chain.advance(chain.next_epoch(), 8, test_hmac), ChainStep::kRotated);
  const CookieKeys after = chain.keys(2);
  ASSERT_EQ(after.keys.size(), 3U);
  EXPECT_EQ(after.keys[CookieKeys::kCurrent], before.keys[CookieKeys::kNext]);
  EXPECT_EQ(after.keys[2], before.keys[CookieKeys::kCurrent]);
}

TEST(KeyChain, keeps_as_many_past_keys_as_it_is_told_the_newest_first) {
  KeyChain chain = chain_at(kNow, 3);
  std::vector<CookieKey> sealed;
  for (int day = 1; day <= 10; ++day) {
    sealed.push_back(chain.keys(1).keys[CookieKeys::kCurrent]);
    chain.advance(kNow + Duration::seconds(86'400 * day), 3, test_hmac);
  }
  const CookieKeys keys = chain.keys(1);
  ASSERT_EQ(keys.keys.size(), 5U);
  for (std::size_t i = 0; i < 3; ++i) EXPECT_EQ(keys.keys[2 + i], sealed[9 - i]);
  EXPECT_EQ(chain.advance(kNow + Duration::seconds(864'000), 1, test_hmac), ChainStep::kRotated);
  EXPECT_EQ(chain.past(), 1U);
}

TEST(KeyChain, two_nodes_of_one_seed_agree_whenever_they_start_and_however_they_get_there) {
  KeyChain steady = chain_at(kNow);
  KeyChain late = KeyChain::parse(chain_at(kNow).text()).value();
  for (int day = 1; day <= 40; ++day) {
    steady.advance(kNow + Duration::seconds(86'400 * day), 8, test_hmac);
  }
  late.advance(kNow + Duration::seconds(86'400 * 40), 8, test_hmac);
  const CookieKeys a = steady.keys(1);
  const CookieKeys b = late.keys(1);
  ASSERT_EQ(a.keys.size(), b.keys.size());
  for (std::size_t i = 0; i < a.keys.size(); ++i) EXPECT_EQ(a.keys[i], b.keys[i]) << i;
  EXPECT_TRUE(steady.same_seed(late));
}

TEST(KeyChain, nodes_whose_clocks_differ_by_minutes_open_each_others_cookies) {
  const UnixTime midnight = parse_utc("2026-11-22T00:00:00Z").value();
  KeyChain ahead = chain_at(kNow);
  KeyChain behind = chain_at(kNow);
  ahead.advance(midnight + Duration::seconds(120), 8, test_hmac);
  behind.advance(midnight - Duration::seconds(120), 8, test_hmac);
  EXPECT_TRUE(behind.keys(1).find(ahead.keys(1).keys[CookieKeys::kCurrent].id));
  EXPECT_TRUE(ahead.keys(1).find(behind.keys(1).keys[CookieKeys::kCurrent].id));
}

TEST(KeyChain, is_a_ratchet_what_it_has_now_tells_nothing_of_a_forgotten_key) {
  KeyChain chain = chain_at(kNow, 2);
  const CookieKey first = chain.keys(1).keys[CookieKeys::kCurrent];
  const std::string seed = chain.text();
  for (int day = 1; day <= 3; ++day) {
    chain.advance(kNow + Duration::seconds(86'400 * day), 2, test_hmac);
  }
  const std::string now = chain.text();
  // Neither the old seed nor the old key is in what is kept, nor what follows from it.
  EXPECT_EQ(now.find("0101010101010101"), std::string::npos);
  EXPECT_NE(seed.find("0101010101010101"), std::string::npos);
  KeyChain stolen = KeyChain::parse(now).value();
  for (int day = 3; day <= 400; ++day) {
    stolen.advance(kNow + Duration::seconds(86'400 * day), kMaxPastKeys, test_hmac);
    for (const CookieKey& key : stolen.keys(1).keys) EXPECT_NE(key.secret, first.secret);
  }
}

TEST(KeyChain, a_clock_that_goes_back_changes_nothing) {
  KeyChain chain = chain_at(kNow);
  const CookieKeys before = chain.keys(1);
  EXPECT_EQ(chain.advance(kNow - Duration::seconds(864'000), 8, test_hmac), ChainStep::kSame);
  EXPECT_EQ(chain.advance(UnixTime::from_seconds(-5), 8, test_hmac), ChainStep::kSame);
  EXPECT_EQ(chain.keys(1).keys[1], before.keys[1]);
}

TEST(KeyChain, a_clock_that_is_ahead_by_decades_is_not_followed) {
  KeyChain chain = chain_at(kNow);
  const std::string before = chain.text();
  EXPECT_EQ(chain.advance(kNow + Duration::seconds(86'400LL * 10'002), 8, test_hmac),
            ChainStep::kTooFar);
  EXPECT_EQ(chain.text(), before);
}

TEST(KeyChain, another_chain_still_opens_the_cookies_of_the_one_before) {
  const KeyChain old = chain_at(kNow);
  KeyChain next = old.succeeded_by(secret(9), Duration::seconds(3600), kNow);
  next.advance(kNow, 8, test_hmac);
  const CookieKeys keys = next.keys(2);
  EXPECT_TRUE(keys.find(old.keys(1).keys[CookieKeys::kCurrent].id));
  EXPECT_TRUE(keys.find(old.keys(1).keys[CookieKeys::kNext].id));
  EXPECT_FALSE(next.same_seed(old));
}

TEST(KeyChain, its_text_is_read_back_as_it_was) {
  KeyChain chain = chain_at(kNow);
  for (int day = 1; day <= 5; ++day) {
    chain.advance(kNow + Duration::seconds(86'400 * day), 8, test_hmac);
  }
  const std::string text = chain.text();
  auto again = KeyChain::parse(text);
  ASSERT_TRUE(again.ok());
  EXPECT_EQ(again->text(), text);
  EXPECT_EQ(again->past(), 5U);
  again->advance(kNow + Duration::seconds(86'400 * 5), 8, test_hmac);
  EXPECT_EQ(again->keys(1).keys[0], chain.keys(1).keys[0]);
}

TEST(KeyChain, a_text_that_is_cut_off_anywhere_is_no_chain) {
  KeyChain chain = chain_at(kNow);
  chain.advance(kNow + kDay, 8, test_hmac);
  const std::string text = chain.text();
  for (std::size_t size = 0; size < text.size(); ++size) {
    const auto got = KeyChain::parse(text.substr(0, size));
    ASSERT_FALSE(got.ok()) << size;
    EXPECT_FALSE(describe(got.error()).empty());
  }
  EXPECT_EQ(KeyChain::parse(text.substr(0, text.size() - 4)).error(), ChainFault::kTruncated);
}

TEST(KeyChain, rubbish_is_told_by_what_is_wrong_with_it) {
  const std::string text = chain_at(kNow).text();
  const auto with = [&](std::string_view what, std::string_view by) {
    std::string out = text;
    out.replace(out.find(what), what.size(), by);
    return KeyChain::parse(out);
  };
  EXPECT_EQ(KeyChain::parse("").error(), ChainFault::kNotOurs);
  EXPECT_EQ(KeyChain::parse(std::string(100, '\0')).error(), ChainFault::kNotOurs);
  EXPECT_EQ(KeyChain::parse(std::string(10'000, 'x')).error(), ChainFault::kTooLong);
  EXPECT_EQ(with("cookies 1", "cookies 2").error(), ChainFault::kNotOurs);
  EXPECT_EQ(with("rotation", "notation").error(), ChainFault::kBadLine);
  EXPECT_EQ(with("86400", "1").error(), ChainFault::kBadNumber);
  EXPECT_EQ(with("86400", "0").error(), ChainFault::kBadNumber);
  EXPECT_EQ(with("86400", "99999999999").error(), ChainFault::kBadNumber);
  EXPECT_EQ(with("epoch 2", "epoch 999999").error(), ChainFault::kBadNumber);
  EXPECT_EQ(with("secret 01", "secret zz").error(), ChainFault::kBadNumber);
  EXPECT_EQ(with("secret 01", "secret ").error(), ChainFault::kBadNumber);
  EXPECT_EQ(with("end\n", "past\nend\n").error(), ChainFault::kBadLine);
  EXPECT_EQ(with("end\n", "past 1 2\nend\n").error(), ChainFault::kBadNumber);
  EXPECT_EQ(with("end\n", "end\nend\n").error(), ChainFault::kBadLine);
  std::string many;
  for (std::size_t i = 0; i <= kMaxPastKeys; ++i) {
    many += "past 0000000a " + std::string(64, '1') + '\n';
  }
  EXPECT_EQ(with("end\n", many + "end\n").error(), ChainFault::kTooManyKeys);
}

TEST(KeyChain, wiped_it_has_no_secret) {
  KeyChain chain = chain_at(kNow);
  chain.wipe();
  EXPECT_NE(chain.text().find("secret " + std::string(64, '0')), std::string::npos);
}

}  // namespace
}  // namespace timepool::nts
