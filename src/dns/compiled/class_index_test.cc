#include "dns/compiled/class_index.h"

#include <gtest/gtest.h>

#include <set>
#include <vector>

#include "base/prng.h"

namespace timepool::dns {
namespace {

Runs<V4Key> runs_of(const std::set<V4Key>& firsts, Prng& prng, std::uint64_t values) {
  Runs<V4Key>::Builder builder;
  builder.append(0, static_cast<std::uint32_t>(prng.below(values)));
  for (const V4Key first : firsts) {
    builder.append(first, static_cast<std::uint32_t>(prng.below(values)));
  }
  return std::move(builder).finish();
}

// At the ends of each run and of each /16 of them, and anywhere.
void expect_same(const Runs<V4Key>& runs, Prng& prng) {
  const ClassIndex index(runs);
  ASSERT_EQ(index.runs(), runs.size());
  std::vector<V4Key> keys{0, 1, 0x7fff'ffff, 0x8000'0000, 0xffff'fffe, 0xffff'ffff};
  for (std::size_t run = 0; run < runs.size(); ++run) {
    const V4Key first = runs.first(run);
    keys.insert(keys.end(), {first, first - 1, first + 1, first | 0xffff, first & 0xffff'0000,
                             first + static_cast<V4Key>(prng.below(65536))});
  }
  for (int i = 0; i < 1000; ++i) keys.push_back(static_cast<V4Key>(prng.next()));
  for (const V4Key key : keys) {
    const auto expected = runs.match(key);
    const auto got = index.match(key);
    ASSERT_EQ(got.value, expected.value) << key;
    ASSERT_EQ(int{got.scope}, expected.scope) << key;
  }
}

TEST(ClassIndex, finds_what_the_runs_have_with_the_same_scope) {
  constexpr std::uint64_t kSeed = 20261122;
  SCOPED_TRACE("seed " + std::to_string(kSeed));
  Prng prng(kSeed);
  for (int round = 0; round < 60; ++round) {
    std::set<V4Key> firsts;
    // From none to hundreds, in few /16s or anywhere, so that some have many and most have none.
    const std::uint64_t count = prng.below(2) == 0 ? prng.below(5) : prng.below(400);
    const bool together = prng.below(2) == 0;
    for (std::uint64_t i = 0; i < count; ++i) {
      const auto anywhere = static_cast<V4Key>(prng.next());
      firsts.insert(together ? 0xfffd'0000 + (anywhere & 0x2'ffff) : anywhere);
    }
    expect_same(runs_of(firsts, prng, 2 + prng.below(65535)), prng);
  }
}

TEST(ClassIndex, tells_every_address_of_a_slash_16_apart) {
  Prng prng(1);
  std::set<V4Key> firsts;
  for (V4Key low = 0; low < 65536; ++low) firsts.insert(0xffff'0000 | low);
  expect_same(runs_of(firsts, prng, 65536), prng);
}

TEST(ClassIndex, one_class_has_no_scope) {
  const ClassIndex index{Runs<V4Key>(7)};
  for (const V4Key key : {V4Key{0}, V4Key{0x1234'5678}, ~V4Key{0}}) {
    EXPECT_EQ(index.match(key).value, 7U);
    EXPECT_EQ(int{index.match(key).scope}, 0);
  }
}

TEST(ClassIndex, takes_less_than_three_megabytes_for_half_a_million_runs) {
  Prng prng(2);
  std::set<V4Key> firsts;
  for (V4Key i = 1; i <= 500'000; ++i) {
    firsts.insert(firsts.end(), i * 8000 + static_cast<V4Key>(prng.below(8000)));
  }
  EXPECT_LT(ClassIndex(runs_of(firsts, prng, 250)).memory(), 3'000'000U);
}

}  // namespace
}  // namespace timepool::dns
