#include "ntp/server/prefix_tree.h"

#include <gtest/gtest.h>

#include <vector>

#include "base/prng.h"

namespace timepool::ntp {
namespace {

PrefixTree::Entry entry(const char* text, std::uint32_t value) {
  return {parse_prefix(text).value(), value};
}
IpAddress ip(const char* text) {
  return parse_ip(text).value();
}

TEST(PrefixTree, the_longest_prefix_counts) {
  const std::vector<PrefixTree::Entry> entries{
      entry("192.0.2.0/24", 2),      entry("192.0.0.0/16", 1),       entry("192.0.2.7/32", 3),
      entry("2001:db8:1::/48", 5),   entry("2001:db8::/32", 4),      entry("0.0.0.0/1", 6),
      entry("2001:db8:1:2::/64", 7), entry("2001:db8:1:2::9/128", 8)};
  const PrefixTree tree = PrefixTree::build(entries, 9).value();
  EXPECT_EQ(tree.find(ip("192.0.2.7")), 3U);
  EXPECT_EQ(tree.find(ip("192.0.2.8")), 2U);
  EXPECT_EQ(tree.find(ip("192.0.3.0")), 1U);
  EXPECT_EQ(tree.find(ip("10.0.0.1")), 6U);
  EXPECT_EQ(tree.find(ip("192.1.0.0")), 9U);
  EXPECT_EQ(tree.find(ip("2001:db8:1:2::9")), 8U);
  EXPECT_EQ(tree.find(ip("2001:db8:1:2::a")), 7U);
  EXPECT_EQ(tree.find(ip("2001:db8:1:3::")), 5U);
  EXPECT_EQ(tree.find(ip("2001:db8:2::")), 4U);
  EXPECT_EQ(tree.find(ip("2001:db9::")), 9U);
}

TEST(PrefixTree, the_whole_space_of_one_family_says_nothing_about_the_other) {
  const std::vector<PrefixTree::Entry> entries{entry("::/0", 1), entry("::ffff:0:0/96", 2)};
  const PrefixTree tree = PrefixTree::build(entries).value();
  EXPECT_EQ(tree.find(ip("192.0.2.1")), 0U);
  EXPECT_EQ(tree.find(ip("2001:db8::1")), 1U);
}

TEST(PrefixTree, of_two_that_are_the_same_the_later_counts) {
  const std::vector<PrefixTree::Entry> entries{entry("192.0.2.0/24", 1), entry("192.0.2.0/24", 2)};
  EXPECT_EQ(PrefixTree::build(entries).value().find(ip("192.0.2.1")), 2U);
}

TEST(PrefixTree, without_entries_everything_is_background) {
  EXPECT_EQ(PrefixTree(7).find(ip("0.0.0.0")), 7U);
  EXPECT_EQ(PrefixTree::build({}, 3).value().find(ip("::")), 3U);
}

TEST(PrefixTree, more_than_a_million_entries_are_refused) {
  const std::vector<PrefixTree::Entry> entries(PrefixTree::kMaxEntries + 1);
  const auto tree = PrefixTree::build(entries);
  ASSERT_FALSE(tree.ok());
  EXPECT_EQ(tree.error(), PrefixTreeFault::kTooMany);
}

// The definition, applied slowly.
std::uint32_t slow_find(const std::vector<PrefixTree::Entry>& entries, const IpAddress& address) {
  int best = -1;
  std::uint32_t value = 0;
  for (const PrefixTree::Entry& it : entries) {
    if (it.prefix.length() < best || !it.prefix.contains(address)) continue;
    best = it.prefix.length();
    value = it.value;
  }
  return value;
}

// Dense, so that prefixes nest, meet and repeat: `spread` bits vary.
IpAddress random_address(Prng& prng, int spread) {
  const std::uint64_t bits = prng.next() >> (64 - spread);
  if (prng.below(2) == 0) return IpAddress::v4(0xc000'0000U | static_cast<std::uint32_t>(bits));
  std::array<std::byte, 16> bytes{std::byte{0x20}, std::byte{0x01}};
  // At the end or in the middle of the address.
  const std::size_t last = prng.below(2) == 0 ? 15 : 7;
  for (std::size_t i = 0; i < 4; ++i) bytes[last - i] = static_cast<std::byte>(bits >> 8 * i);
  return IpAddress::from_bytes(bytes);
}

TEST(PrefixTree, agrees_with_the_definition_on_nested_random_prefixes) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    Prng prng(seed);
    const int spread = 4 + static_cast<int>(prng.below(26));
    std::vector<PrefixTree::Entry> entries;
    for (int i = 0; i < 200; ++i) {
      const IpAddress address = random_address(prng, spread);
      const auto length =
          static_cast<int>(prng.below(static_cast<std::uint64_t>(address.bits()) + 1));
      entries.push_back({Prefix(address, length), static_cast<std::uint32_t>(prng.below(4))});
    }
    const PrefixTree tree = PrefixTree::build(entries).value();
    for (int i = 0; i < 2000; ++i) {
      const IpAddress address = random_address(prng, spread);
      ASSERT_EQ(tree.find(address), slow_find(entries, address)) << format(address);
    }
  }
}

}  // namespace
}  // namespace timepool::ntp
