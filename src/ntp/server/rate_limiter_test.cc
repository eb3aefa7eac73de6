#include "ntp/server/rate_limiter.h"

#include <gtest/gtest.h>

#include <map>
#include <vector>

namespace timepool::ntp {
namespace {

IpAddress ip(const char* text) {
  return parse_ip(text).value();
}
IpAddress v6(std::uint64_t high, std::uint64_t low) {
  return address_of(AddressKey{high, low});
}

class RateLimiterTest : public ::testing::Test {
 protected:
  RateLimiterTest() {
    settings_.enabled = true;
    settings_.address = BucketRate::of(1, 8);
  }

  LimitVerdict ask(RateLimiter& limiter, const IpAddress& address, double seconds) {
    const MonoTime now = MonoTime::from_ns(1'000'000'000'000) + Duration::from_seconds(seconds);
    return limiter.judge({address, 4, 3}, now, settings_);
  }
  int passed(RateLimiter& limiter, const IpAddress& address, int count, double seconds = 0,
             double gap = 0) {
    int out = 0;
    for (int i = 0; i < count; ++i) {
      out += ask(limiter, address, seconds + gap * i) == LimitVerdict::kPass ? 1 : 0;
    }
    return out;
  }
  BucketRate& network(Network it) { return settings_.networks[static_cast<std::size_t>(it)]; }

  LimitSettings settings_;
  RateLimiter limiter_{4096, {{1, 2}, 3}};
};

TEST_F(RateLimiterTest, B31_an_address_gets_its_burst_and_then_its_rate) {
  EXPECT_EQ(passed(limiter_, ip("192.0.2.1"), 100), 8);
  EXPECT_EQ(passed(limiter_, ip("192.0.2.1"), 100, 4), 4);
  EXPECT_EQ(passed(limiter_, ip("192.0.2.2"), 100), 8);
  EXPECT_EQ(passed(limiter_, ip("2001:db8::1"), 100), 8);
}

TEST_F(RateLimiterTest, a_client_that_keeps_to_the_rate_is_always_answered) {
  EXPECT_EQ(passed(limiter_, ip("192.0.2.1"), 5000, 0, 1.0), 5000);
}

TEST_F(RateLimiterTest, a_network_has_a_limit_of_its_own_at_each_length) {
  settings_.address = BucketRate::of(1000, 1000);
  network(Network::kV4Of24) = BucketRate::of(1, 10);
  network(Network::kV6Of64) = BucketRate::of(1, 4);
  network(Network::kV6Of56) = BucketRate::of(1, 6);
  network(Network::kV6Of48) = BucketRate::of(1, 9);
  int v4 = 0;
  for (std::uint32_t i = 0; i < 256; ++i) v4 += passed(limiter_, IpAddress::v4(0xc000'0200 | i), 1);
  EXPECT_EQ(v4, 10);
  EXPECT_EQ(passed(limiter_, ip("192.0.3.1"), 1), 1);
  const std::uint64_t site = 0x2001'0db8'0001'0000;
  int link = 0;
  for (std::uint64_t i = 1; i < 100; ++i) link += passed(limiter_, v6(site, i), 1);
  EXPECT_EQ(link, 4) << "one /64";
  EXPECT_EQ(passed(limiter_, v6(site | 1, 1), 100), 2) << "another /64 of the same /56";
  EXPECT_EQ(passed(limiter_, v6(site | 0x100, 1), 100), 3) << "another /56 of the same /48";
  EXPECT_EQ(passed(limiter_, v6(site + 0x1'0000, 1), 100), 4) << "another /48";
}

TEST_F(RateLimiterTest, what_is_dropped_takes_no_tokens) {
  network(Network::kV4Of24) = BucketRate::of(1, 20);
  EXPECT_EQ(passed(limiter_, ip("192.0.2.1"), 10'000), 8);
  EXPECT_EQ(passed(limiter_, ip("192.0.2.2"), 10'000), 8);
  EXPECT_EQ(passed(limiter_, ip("192.0.2.3"), 10'000), 4);
}

TEST_F(RateLimiterTest, the_leak_answers_a_fraction_of_what_has_no_token) {
  settings_.leak = 4;
  EXPECT_NEAR(passed(limiter_, ip("192.0.2.1"), 40'000), 10'000, 500);
  EXPECT_NEAR(static_cast<double>(limiter_.count(RateLimiter::Event::kLeaked)), 10'000, 500);
}

TEST_F(RateLimiterTest, a_spoofer_does_not_starve_its_victim) {
  settings_.leak = 4;
  network(Network::kV4Of24) = BucketRate::of(10, 100);
  const IpAddress victim = ip("192.0.2.1");
  int answered = 0;
  double now = 0;
  // Eight requests, two seconds apart, each among 2000 in its name.
  for (int burst = 0; burst < 50; ++burst) {
    bool any = false;
    for (int i = 0; i < 8; ++i, now += 2) {
      passed(limiter_, victim, 2000, now);
      any = ask(limiter_, victim, now) == LimitVerdict::kPass || any;
    }
    answered += any ? 1 : 0;
  }
  // 1 - 0.75^8 is 0.9.
  EXPECT_GE(answered, 38) << "of 50 bursts";
}

TEST_F(RateLimiterTest, of_what_is_dropped_a_fraction_is_told_so) {
  settings_.kiss = 8;
  std::map<LimitVerdict, int> counts;
  for (int i = 0; i < 16'008; ++i) ++counts[ask(limiter_, ip("192.0.2.1"), 0)];
  EXPECT_EQ(counts[LimitVerdict::kPass], 8);
  EXPECT_NEAR(counts[LimitVerdict::kRate], 2000, 200);
  settings_.kiss = 0;
  EXPECT_EQ(ask(limiter_, ip("192.0.2.1"), 0), LimitVerdict::kDrop);
}

TEST_F(RateLimiterTest, who_is_exempt_is_not_limited) {
  settings_.exempt = std::make_shared<PrefixTree>(
      PrefixTree::build(std::vector<PrefixTree::Entry>{{parse_prefix("127.0.0.0/8").value(), 1}})
          .value());
  EXPECT_EQ(passed(limiter_, ip("127.0.0.1"), 1000), 1000);
  EXPECT_EQ(passed(limiter_, ip("192.0.2.1"), 1000), 8);
  EXPECT_EQ(limiter_.table().top(1, MonoTime::from_ns(1'000'000'000'000)).at(0).requests, 1000U);
}

TEST_F(RateLimiterTest, without_limits_clients_are_remembered_all_the_same) {
  settings_.enabled = false;
  EXPECT_EQ(passed(limiter_, ip("192.0.2.1"), 1000), 1000);
  const auto top = limiter_.table().top(10, MonoTime::from_ns(1'000'000'000'000));
  ASSERT_EQ(top.size(), 1U);
  EXPECT_EQ(top[0].requests, 1000U);
  EXPECT_EQ(top[0].dropped, 0U);
}

TEST_F(RateLimiterTest, a_client_that_hurries_only_when_it_is_not_answered_is_answered) {
  // Other requests in its name take its token each second; it asks each 16 s, and each 2 s when it
  // has no answer.
  settings_.address = BucketRate::of(0.1, 1);
  const IpAddress address = ip("192.0.2.1");
  double now = 0;
  int tries = 0;
  int answered = 0;
  for (int i = 0; i < 400; ++i) {
    ++tries;
    if (ask(limiter_, address, now) == LimitVerdict::kPass) {
      ++answered;
      now += 16;
    } else {
      now += 2;
    }
    // Every tenth time its clock is set back to ask at once.
    if (i % 10 == 0) now += 0.5 - 16;
    if (now < 0) now = 0.5;
  }
  EXPECT_GT(limiter_.count(RateLimiter::Event::kSuspended), 0U);
  EXPECT_GT(answered * 10, tries * 8);
}

TEST_F(RateLimiterTest, a_flooder_is_not_taken_for_one_that_hurries) {
  const IpAddress address = ip("192.0.2.1");
  // It behaved for hours.
  EXPECT_EQ(passed(limiter_, address, 100, 0, 1024), 100);
  EXPECT_LT(passed(limiter_, address, 100'000, 200'000, 0.001), 8 + 101 + 8);
}

TEST_F(RateLimiterTest, made_up_addresses_share_one_bucket_when_they_push_each_other_out) {
  settings_.newcomers = BucketRate::of(100, 100);
  Prng prng(7);
  int first = 0;
  int later = 0;
  for (int i = 0; i < 100'000; ++i) {
    const bool ok = passed(limiter_, v6(prng.next() | 1ULL << 61, prng.next()), 1, i * 1e-5) == 1;
    (i < 4096 / 2 ? first : later) += ok ? 1 : 0;
  }
  EXPECT_EQ(first, 4096 / 2) << "while there is room nobody is limited";
  // The rest of the table, the bucket's burst, and a second of its rate.
  EXPECT_LT(later, 4096 / 2 + 100 + 100);
  // At most a 32nd of the table at once.
  EXPECT_GT(limiter_.count(RateLimiter::Event::kPushedOut), 100U);
  EXPECT_LT(limiter_.count(RateLimiter::Event::kPushedOut), 4096U / 32 + 4096 / 256 + 2);
}

TEST_F(RateLimiterTest, made_up_addresses_do_not_push_out_clients_that_come_again) {
  settings_.newcomers = BucketRate::of(1000, 1000);
  std::vector<IpAddress> good;
  for (std::uint32_t i = 0; i < 500; ++i) good.push_back(IpAddress::v4(0x0a00'0000 | i << 12));
  Prng prng(8);
  int asked = 0;
  int answered = 0;
  for (int round = 0; round < 50; ++round) {
    const double now = round * 64;
    for (const IpAddress& it : good) {
      ++asked;
      answered += passed(limiter_, it, 1, now);
    }
    for (int i = 0; i < 20'000; ++i) {
      ask(limiter_, v6(prng.next() | 1ULL << 61, prng.next()), now + 1 + i * 1e-4);
    }
  }
  // The first two rounds they are newcomers themselves.
  EXPECT_GE(answered, asked - 500);
  const auto top = limiter_.table().top(500, MonoTime::from_ns(5'000'000'000'000));
  for (const ClientReport& it : top) EXPECT_TRUE(it.address.is_v4());
}

TEST_F(RateLimiterTest, another_seed_puts_clients_in_other_places) {
  // Addresses that share their eight places under one seed do not under another.
  RateLimiter other(4096, {{5, 6}, 3});
  settings_.newcomers = BucketRate::of(1, 1);
  Prng prng(9);
  std::vector<IpAddress> crowd;
  const auto place_of = [](std::uint32_t bits) {
    const std::uint64_t network = kMappedV4 | (bits & 0xffff'ff00);
    return siphash13_pair({1, 2}, network, static_cast<std::uint8_t>(bits)).word_and_octet >> 55;
  };
  while (crowd.size() < 64) {
    const auto bits = static_cast<std::uint32_t>(prng.next());
    if (place_of(bits) == place_of(1)) crowd.push_back(IpAddress::v4(bits));
  }
  int here = 0;
  int there = 0;
  for (const IpAddress& it : crowd) {
    here += passed(limiter_, it, 1);
    there += passed(other, it, 1);
  }
  EXPECT_EQ(here, 9) << "eight places and a token";
  EXPECT_EQ(there, 64);
}

TEST_F(RateLimiterTest, a_client_takes_no_more_than_64_octets_over_all_levels) {
  EXPECT_LE(RateLimiter::kOctetsPerClient, 64U);
  RateLimiter limiter(100'000, {});
  EXPECT_EQ(limiter.table().clients(), 100'000U);
  EXPECT_LE(limiter.octets(), 64 * 100'000U);
}

}  // namespace
}  // namespace timepool::ntp
