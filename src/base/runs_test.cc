#include "base/runs.h"

#include <gtest/gtest.h>

#include <vector>

#include "base/prng.h"

namespace timepool {
namespace {

template <class Key>
PrefixValue<Key> block(const char* text, std::uint32_t value) {
  const Prefix prefix = parse_prefix(text).value();
  return {key_of<Key>(prefix.base()), prefix.length(), value};
}
V4Key v4(const char* text) {
  return v4_key(parse_ip(text).value());
}
V6Key v6(const char* text) {
  return v6_key(parse_ip(text).value());
}

TEST(Runs, longest_prefix_wins_and_the_rest_is_background) {
  const std::vector<PrefixValue<V4Key>> blocks{
      block<V4Key>("10.1.2.0/24", 3), block<V4Key>("10.0.0.0/8", 1), block<V4Key>("10.1.0.0/16", 2),
      block<V4Key>("10.1.2.3/32", 4), block<V4Key>("255.255.255.255/32", 5)};
  const auto runs = Runs<V4Key>::flatten(blocks, 9);
  EXPECT_EQ(runs.value_at(v4("9.255.255.255")), 9U);
  EXPECT_EQ(runs.value_at(v4("10.0.0.0")), 1U);
  EXPECT_EQ(runs.value_at(v4("10.1.0.0")), 2U);
  EXPECT_EQ(runs.value_at(v4("10.1.2.2")), 3U);
  EXPECT_EQ(runs.value_at(v4("10.1.2.3")), 4U);
  EXPECT_EQ(runs.value_at(v4("10.1.2.4")), 3U);
  EXPECT_EQ(runs.value_at(v4("10.1.3.0")), 2U);
  EXPECT_EQ(runs.value_at(v4("10.2.0.0")), 1U);
  EXPECT_EQ(runs.value_at(v4("11.0.0.0")), 9U);
  EXPECT_EQ(runs.value_at(v4("255.255.255.255")), 5U);
}

TEST(Runs, later_of_two_equal_prefixes_wins) {
  const std::vector<PrefixValue<V4Key>> blocks{block<V4Key>("10.0.0.0/8", 1),
                                               block<V4Key>("10.0.0.0/8", 2)};
  const auto runs = Runs<V4Key>::flatten(blocks);
  EXPECT_EQ(runs.value_at(v4("10.0.0.1")), 2U);
  EXPECT_EQ(runs.value_at(v4("11.0.0.0")), 0U);
  EXPECT_EQ(runs.size(), 3U);
}

TEST(Runs, neighbours_of_equal_value_merge_and_widen_the_scope) {
  const std::vector<PrefixValue<V4Key>> blocks{block<V4Key>("192.0.2.0/25", 1),
                                               block<V4Key>("192.0.2.128/25", 1)};
  const auto runs = Runs<V4Key>::flatten(blocks);
  EXPECT_EQ(runs.size(), 3U);
  EXPECT_EQ(runs.match(v4("192.0.2.200")).scope, 24);
  EXPECT_EQ(runs.match(v4("192.0.3.0")).scope, 24);
  EXPECT_EQ(runs.match(v4("0.0.0.0")).scope, 1);
  EXPECT_EQ(Runs<V4Key>(7).match(v4("1.2.3.4")).scope, 0);
  EXPECT_EQ(Runs<V4Key>(7).match(v4("1.2.3.4")).value, 7U);
}

TEST(Runs, works_on_ipv6_to_the_last_bit) {
  const std::vector<PrefixValue<V6Key>> blocks{
      block<V6Key>("2001:db8::/32", 1), block<V6Key>("2001:db8:1::/48", 2),
      block<V6Key>("2001:db8:1::5/128", 3), block<V6Key>("::/0", 8)};
  const auto runs = Runs<V6Key>::flatten(blocks);
  EXPECT_EQ(runs.value_at(v6("2001:db8::1")), 1U);
  EXPECT_EQ(runs.match(v6("2001:db8:1::5")).value, 3U);
  EXPECT_EQ(runs.match(v6("2001:db8:1::5")).scope, 128);
  EXPECT_EQ(runs.match(v6("2001:db8:1:8000::")).value, 2U);
  EXPECT_EQ(runs.match(v6("2001:db8:1:8000::")).scope, 49);
  EXPECT_EQ(runs.value_at(v6("ffff::")), 8U);
  EXPECT_EQ(format(address_of(v6("2001:db8::5"))), "2001:db8::5");
}

// The definition, applied slowly.
template <class Key>
std::uint32_t longest_match(const std::vector<PrefixValue<Key>>& prefixes, Key key) {
  int best = -1;
  std::uint32_t value = 0;
  for (const auto& prefix : prefixes) {
    if (key >= prefix.base && key <= prefix.last() && prefix.length >= best) {
      best = prefix.length;
      value = prefix.value;
    }
  }
  return value;
}

template <class Key>
void agrees_with_longest_match(std::uint64_t seed, int low_bits) {
  SCOPED_TRACE("seed " + std::to_string(seed));
  Prng prng(seed);
  const auto random_key = [&] {
    Key key = static_cast<Key>(prng.next());
    if constexpr (sizeof(Key) == 16) key = key << 64 | prng.next();
    // Close together, so that prefixes nest; IPv6 in the indexed part and outside it.
    if (prng.below(2) == 0) key = static_cast<Key>(key >> (kKeyBits<Key> - low_bits));
    if constexpr (sizeof(Key) == 16) {
      if (prng.below(2) == 0) key = (key & ~(Key{7} << 125)) | Key{1} << 125;
    }
    return key;
  };
  std::vector<PrefixValue<Key>> prefixes;
  for (int i = 0; i < 300; ++i) {
    const int length = static_cast<int>(prng.below(kKeyBits<Key> + 1));
    Key base = random_key();
    base = length == 0
               ? Key{0}
               : static_cast<Key>(base >> (kKeyBits<Key> - length)) << (kKeyBits<Key> - length);
    // One value for one block: which of two equal blocks wins is another test's.
    prefixes.push_back({base, length, static_cast<std::uint32_t>(1 + length % 5)});
  }
  const auto runs = Runs<Key>::flatten(prefixes);
  std::vector<Key> probes;
  for (const auto& prefix : prefixes) {
    for (const Key key : {prefix.base, prefix.last()}) {
      probes.insert(probes.end(), {key, static_cast<Key>(key - 1), static_cast<Key>(key + 1)});
    }
  }
  for (int i = 0; i < 2000; ++i) probes.push_back(random_key());
  for (const Key key : probes) {
    const auto match = runs.match(key);
    ASSERT_EQ(match.value, longest_match(prefixes, key));
    ASSERT_EQ(match.value, runs.value_at(key));
    // Both ends of the scope have the value, and a prefix one bit wider would not be constant.
    const int shift = kKeyBits<Key> - match.scope;
    const Key mask = shift == kKeyBits<Key> ? Key{0} : static_cast<Key>(~Key{0} << shift);
    const PrefixValue<Key> scope{static_cast<Key>(key & mask), match.scope, 0};
    for (std::size_t run = 0; run < runs.size(); ++run) {
      if (runs.first(run) > scope.base && runs.first(run) <= scope.last()) {
        ADD_FAILURE() << "the value changes within the scope";
        return;
      }
    }
    if (match.scope > 0) {
      const Key wider_mask =
          match.scope == 1 ? Key{0} : static_cast<Key>(static_cast<Key>(~Key{0}) << (shift + 1));
      const PrefixValue<Key> wider{static_cast<Key>(key & wider_mask), match.scope - 1, 0};
      bool changes = false;
      for (std::size_t run = 0; run < runs.size(); ++run) {
        changes |= runs.first(run) > wider.base && runs.first(run) <= wider.last();
      }
      ASSERT_TRUE(changes);
    }
  }
}

TEST(Runs, agrees_with_the_definition_of_longest_match) {
  for (std::uint64_t seed = 1; seed <= 3; ++seed) {
    agrees_with_longest_match<V4Key>(seed, 12);
    agrees_with_longest_match<V6Key>(seed, 20);
  }
}

TEST(Runs, combine_merges_pointwise) {
  const auto a = Runs<V4Key>::flatten(std::vector{block<V4Key>("10.0.0.0/8", 1)});
  const auto b = Runs<V4Key>::flatten(std::vector{block<V4Key>("10.1.0.0/16", 2)});
  const auto both = combine([](auto v) { return v[1] != 0 ? v[1] : v[0]; }, a, b);
  EXPECT_EQ(both.value_at(v4("10.0.0.1")), 1U);
  EXPECT_EQ(both.value_at(v4("10.1.0.1")), 2U);
  EXPECT_EQ(both.value_at(v4("10.2.0.1")), 1U);
  EXPECT_EQ(both.value_at(v4("11.0.0.1")), 0U);
  EXPECT_EQ(both.size(), 5U);
}

}  // namespace
}  // namespace timepool
