#include "dnssec/key_state.h"

#include <gtest/gtest.h>

#include "base/prng.h"

namespace timepool::dnssec {
namespace {

ClockMark mark(int boot, std::int64_t seconds) {
  ClockMark out;
  out.boot[0] = static_cast<std::byte>(boot);
  out.since_boot = Duration::seconds(seconds);
  return out;
}

KeySpan random_span(Prng& prng) {
  KeySpan out;
  if (prng.below(3) == 0) return out;
  out.from = static_cast<PlanTime>(prng.below(2'000'000'000));
  if (prng.below(2) == 0) out.until = *out.from + static_cast<PlanTime>(prng.below(1'000'000));
  return out;
}

PlannedKey random_key(Prng& prng, std::uint16_t tag) {
  PlannedKey out;
  out.tag = tag;
  out.role = static_cast<KeyRole>(prng.below(3));
  out.algorithm = prng.below(2) == 0 ? Algorithm::kEd25519 : Algorithm::kEcdsaP256Sha256;
  out.public_key.resize(out.algorithm == Algorithm::kEd25519 ? 32 : 64);
  for (std::byte& octet : out.public_key) octet = static_cast<std::byte>(prng.next());
  out.created = static_cast<PlanTime>(prng.below(2'000'000'000));
  out.wanted = prng.below(2) == 0;
  out.leave = out.wanted && prng.below(2) == 0;
  out.published = random_span(prng);
  out.signing = random_span(prng);
  out.offered = random_span(prng);
  out.at_parent = random_span(prng);
  return out;
}

KeyStateFile random_state(std::uint64_t seed) {
  Prng prng(seed);
  KeyStateFile out;
  out.zone = "pool" + std::to_string(seed) + ".example.";
  out.record.now = static_cast<PlanTime>(prng.below(2'000'000'000));
  out.record.unsign = prng.below(2) == 0;
  out.record.dnskey_ttl = {3600, 7200, 1'800'000'000};
  out.record.ds_ttl = {static_cast<std::uint32_t>(prng.below(1 << 30)), 0, 0};
  out.mark =
      mark(static_cast<int>(prng.below(256)), static_cast<std::int64_t>(prng.below(1 << 30)));
  const std::size_t count = prng.below(KeyPlan::kMaxKeys + 1);
  for (std::size_t i = 0; i < count; ++i) {
    out.record.keys.push_back(random_key(prng, static_cast<std::uint16_t>(1000 + i)));
  }
  return out;
}

TEST(KeyStateFile, text_and_back_is_the_same) {
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    const KeyStateFile state = random_state(seed);
    const std::string text = format_state(state);
    EXPECT_LE(text.size(), kMaxStateText);
    const auto again = parse_state(text);
    ASSERT_TRUE(again.ok()) << "seed " << seed << ": " << describe(again.error().fault) << ", line "
                            << again.error().line << "\n"
                            << text;
    EXPECT_EQ(*again, state) << "seed " << seed;
  }
}

TEST(KeyStateFile, damage_at_any_octet_is_noticed) {
  const std::string text = format_state(random_state(3));
  ASSERT_GT(text.size(), 500U);
  for (std::size_t i = 0; i < text.size(); ++i) {
    std::string damaged = text;
    damaged[i] = static_cast<char>(damaged[i] ^ 1);
    EXPECT_FALSE(parse_state(damaged).ok()) << i;
    EXPECT_FALSE(parse_state(text.substr(0, i)).ok()) << i;
  }
}

TEST(KeyStateFile, faults_are_told_apart) {
  const std::string text = format_state(random_state(3));
  const auto fault = [](const std::string& it) { return parse_state(it).error().fault; };
  EXPECT_EQ(fault(""), StateFault::kNotOurs);
  EXPECT_EQ(fault("rubbish\n"), StateFault::kNotOurs);
  EXPECT_EQ(fault("timepool dnssec state 2\n"), StateFault::kVersion);
  EXPECT_EQ(fault(text.substr(0, text.size() - 1)), StateFault::kTruncated);
  EXPECT_EQ(fault(text.substr(0, 200)), StateFault::kTruncated);
  std::string changed = text;
  changed[text.find("time 1") + 5] = '2';
  EXPECT_EQ(fault(changed), StateFault::kDigest);
  EXPECT_EQ(fault(text + std::string(kMaxStateText, '\n')), StateFault::kTooLong);
  for (std::size_t i = 0; i < kStateFaultCount; ++i) {
    EXPECT_FALSE(describe(static_cast<StateFault>(i)).empty());
  }
}

TEST(KeyStateFile, two_keys_of_one_tag_are_refused_and_so_are_too_many) {
  KeyStateFile state = random_state(1);
  Prng prng(7);
  state.record.keys = {random_key(prng, 5), random_key(prng, 5)};
  const auto twice = parse_state(format_state(state));
  ASSERT_FALSE(twice.ok());
  EXPECT_EQ(twice.error().fault, StateFault::kTooMany);
  EXPECT_EQ(twice.error().line, 9);
  state.record.keys.clear();
  for (std::uint16_t i = 0; i <= KeyPlan::kMaxKeys; ++i) {
    state.record.keys.push_back(random_key(prng, i));
  }
  EXPECT_EQ(parse_state(format_state(state)).error().fault, StateFault::kTooMany);
}

TEST(PlanClock, counts_what_passed_since_boot_and_goes_on_after_a_restart) {
  PlanClock clock(1'800'000'000, mark(1, 100), mark(1, 160));
  EXPECT_EQ(clock.advance(mark(1, 160)), 1'800'000'060);
  EXPECT_EQ(clock.advance(mark(1, 170)), 1'800'000'070);
  // A clock that goes back, as none should.
  EXPECT_EQ(clock.advance(mark(1, 10)), 1'800'000'070);
  EXPECT_EQ(clock.advance(mark(1, 171)), 1'800'000'071);
}

TEST(PlanClock, over_a_reboot_no_time_passes_whatever_the_system_clock_says) {
  PlanClock clock(1'800'000'000, mark(1, 100), mark(2, 5'000'000));
  EXPECT_EQ(clock.advance(mark(2, 5'000'000)), 1'800'000'000);
  EXPECT_EQ(clock.advance(mark(2, 5'000'001)), 1'800'000'001);
  // Where the system does not tell its runs apart, a restart is like a reboot.
  PlanClock unknown(1'800'000'000, mark(0, 100), mark(0, 200));
  EXPECT_EQ(unknown.advance(mark(0, 200)), 1'800'000'000);
}

}  // namespace
}  // namespace timepool::dnssec
