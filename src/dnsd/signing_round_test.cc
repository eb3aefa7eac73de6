#include "dnsd/signing_round.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <cstdio>
#include <map>
#include <numeric>

#include "base/check.h"
#include "dns/signed_testing.h"
#include "dns/zone/weighted.h"
#include "dnsd/signing_keeper.h"

namespace timepool::dnsd {
namespace {

using dns::testing::HashSigner;
using dns::testing::keys_for;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

std::string addresses(const char* net, int count) {
  std::string out;
  for (int i = 1; i <= count; ++i) {
    out += (i > 1 ? ",[\"" : "[\"") + std::string(net) + std::to_string(i) + "\"," +
           std::to_string(i) + "]";
  }
  return out;
}

// `labels` names whose answers are drawn, and a few others.
std::shared_ptr<const dns::CompiledZones> pool(int labels, const std::string& more = "") {
  std::string data;
  for (int i = 0; i < labels; ++i) {
    data += ",\"" + std::to_string(i) + "\": {\"a\": [" +
            addresses(
                (std::string(i < 200 ? "10.1." : "10.2.") + std::to_string(i % 200) + ".").c_str(),
                40) +
            "]}";
  }
  return dns::testing::compile({{"pool.test", R"({"ttl": 60, "max_hosts": 4, "data": {
         "": {"ns": ["ns.pool.test."]}, "ns": {"a": [["10.0.0.53", 1]]})" +
                                                  data + more + "}}"}});
}

class SigningRoundTest : public ::testing::Test {
 protected:
  void run(Duration span) {
    const MonoTime end = now_.mono + span;
    while (now_.mono < end) {
      if (asked_each_second_ > 0 && round_.missing() == 0) ask_all(asked_each_second_);
      while (round_.step(now_, 100'000)) {
      }
      advance(Duration::seconds(1));
    }
  }
  void advance(Duration span) {
    now_.mono = now_.mono + span;
    now_.unix_time += static_cast<std::uint32_t>(span.ns() / 1'000'000'000);
  }
  // As workers do for each answer of a set that is drawn.
  void ask_all(int times) {
    const auto made = round_.result();
    const auto& zones = round_.zones();
    for (std::uint32_t node = 0; node < zones->nodes().size(); ++node) {
      for (std::uint32_t set = 0; set < zones->sets().size(); ++set) {
        const dns::SignedSet* found = made->find(node, set);
        for (int i = 0; found != nullptr && i < times; ++i) found->note_asked();
      }
    }
  }
  std::uint64_t signatures() const { return round_.totals(now_).signatures; }
  void break_keys(bool broken) {
    for (const auto& key : keys_.begin()->second->keys) {
      const_cast<HashSigner*>(dynamic_cast<const HashSigner*>(key.signer.get()))->broken = broken;
    }
  }

  int asked_each_second_ = 0;
  dnssec::KeysByZone keys_ = keys_for({"pool.test"});
  SigningRound round_{5};
  SigningRound::Clocks now_{MonoTime::from_ns(1'000'000'000'000), dns::testing::kNow};
};

TEST_F(SigningRoundTest, signs_everything_once_and_draws_anew_within_each_ttl) {
  round_.turn_to(pool(5), keys_, {}, now_);
  EXPECT_GT(round_.missing(), 5U);
  while (round_.step(now_, 64)) {
  }
  EXPECT_EQ(round_.missing(), 0U);
  const auto totals = round_.totals(now_);
  EXPECT_EQ(totals.drawn, 5U);
  const std::uint64_t first = signatures();
  EXPECT_EQ(first, 5 * 64 + totals.sets - 5);
  // Draws that nobody was given are as good as new.
  run(Duration::seconds(300));
  EXPECT_EQ(signatures(), first);
  asked_each_second_ = 1;
  run(Duration::seconds(60));
  std::uint64_t last = signatures();
  EXPECT_GT(last, first);
  for (int minute = 0; minute < 10; ++minute) {
    run(Duration::seconds(60));
    // Each of the five once or twice, and nothing else.
    EXPECT_GE(signatures() - last, 5U * 64U);
    EXPECT_LE(signatures() - last, 2U * 5U * 64U);
    EXPECT_EQ((signatures() - last) % 64, 0U);
    EXPECT_LE(round_.totals(now_).behind, Duration::seconds(1));
    last = signatures();
  }
}

TEST_F(SigningRoundTest, what_did_not_change_is_not_signed_again) {
  round_.turn_to(pool(5), keys_, {}, now_);
  run(Duration::seconds(1));
  const std::uint64_t before = signatures();
  const auto set_before = round_.result()->find(0, dns::SignedZones::Special::kDnskey);
  round_.turn_to(pool(5), keys_, {}, now_);
  EXPECT_EQ(round_.missing(), 0U);
  EXPECT_EQ(round_.result()->find(0, dns::SignedZones::Special::kDnskey), set_before);
  // One name more: its set, its NSEC.
  round_.turn_to(pool(5, R"(, "new": {"txt": "x"})"), keys_, {}, now_);
  EXPECT_EQ(round_.missing(), 2U);
  round_.step(now_, 100);
  EXPECT_EQ(signatures(), before + 2);
  // Other keys: everything.
  keys_.begin()->second = std::make_shared<dnssec::ZoneKeys>(
      dnssec::ZoneKeys{{dns::testing::hash_key(8, true, true)}, 3600, {}, {}});
  round_.turn_to(pool(5), keys_, {}, now_);
  EXPECT_EQ(round_.missing(), round_.totals(now_).sets);
}

TEST_F(SigningRoundTest, other_weights_are_drawn_at_once_and_the_old_draw_serves_until_then) {
  const auto with = [](const char* weight) {
    return pool(0, std::string(R"(, "w": {"a": [)") + addresses("10.2.0.", 40) +
                       R"(, ["10.3.0.1", )" + weight + "]]}");
  };
  round_.turn_to(with("1"), keys_, {}, now_);
  run(Duration::seconds(1));
  const std::uint64_t before = signatures();
  round_.turn_to(with("100000"), keys_, {}, now_);
  EXPECT_EQ(round_.missing(), 0U);
  EXPECT_TRUE(round_.step(now_, 1000));
  EXPECT_EQ(signatures(), before + 64);
}

TEST_F(SigningRoundTest, clock_jumps_make_all_signatures_anew) {
  round_.turn_to(pool(2), keys_, {}, now_);
  run(Duration::seconds(1));
  const std::size_t sets = round_.totals(now_).sets;
  for (const std::int64_t jump : {std::int64_t{-30} * 86400, std::int64_t{400} * 86400}) {
    const std::uint64_t before = signatures();
    now_.unix_time = static_cast<std::uint32_t>(now_.unix_time + jump);
    run(Duration::seconds(2));
    EXPECT_GE(signatures() - before, sets) << jump;
    EXPECT_EQ(static_cast<std::int32_t>(now_.unix_time - round_.totals(now_).oldest) / 10, 0);
  }
}

TEST_F(SigningRoundTest, a_static_signature_is_made_anew_at_half_of_its_life) {
  dns::SigningOptions options;
  options.times.static_lifetime = 1000;
  round_.turn_to(pool(0), keys_, options, now_);
  run(Duration::seconds(1));
  const std::uint64_t before = signatures();
  run(Duration::seconds(490));
  EXPECT_EQ(signatures(), before);
  run(Duration::seconds(20));
  // All but the address of the name server, which is a pool's and lives a day.
  EXPECT_EQ(signatures() - before, round_.totals(now_).sets - 1);
}

TEST_F(SigningRoundTest, a_key_that_fails_leaves_what_is_signed) {
  asked_each_second_ = 1;
  round_.turn_to(pool(1), keys_, {}, now_);
  run(Duration::seconds(1));
  const std::uint64_t before = signatures();
  break_keys(true);
  run(Duration::seconds(120));
  EXPECT_EQ(signatures(), before);
  EXPECT_EQ(round_.missing(), 0U);
  EXPECT_THAT(round_.problems(), ElementsAre(HasSubstr("could not be made anew")));
  // Tried again each ten seconds, not in a loop.
  EXPECT_LE(round_.totals(now_).failures, 12U);
  break_keys(false);
  run(Duration::seconds(20));
  EXPECT_THAT(round_.problems(), IsEmpty());
  EXPECT_EQ(signatures(), before + 64);
}

TEST_F(SigningRoundTest, what_could_never_be_signed_is_told) {
  break_keys(true);
  round_.turn_to(pool(1), keys_, {}, now_);
  run(Duration::seconds(1));
  EXPECT_TRUE(round_.stuck());
  EXPECT_THAT(round_.problems(), ElementsAre(HasSubstr("could not be signed")));
  break_keys(false);
  run(Duration::seconds(20));
  EXPECT_EQ(round_.missing(), 0U);
  EXPECT_FALSE(round_.stuck());
}

TEST_F(SigningRoundTest, keys_that_cannot_sign_are_passed_over_for_those_before) {
  round_.turn_to(pool(1), keys_, {}, now_);
  run(Duration::seconds(1));
  dnssec::KeysByZone broken = keys_;
  broken.begin()->second = std::make_shared<dnssec::ZoneKeys>();
  round_.turn_to(pool(1), broken, {}, now_);
  EXPECT_EQ(round_.missing(), 0U);
  EXPECT_TRUE(round_.signs_anything());
  EXPECT_THAT(round_.problems(),
              ElementsAre("pool.test.: its keys cannot sign; those it had before are used on"));
  SigningRound never(1);
  never.turn_to(pool(1), broken, {}, now_);
  EXPECT_FALSE(never.signs_anything());
  EXPECT_TRUE(never.withholds_anything());
  EXPECT_THAT(
      never.problems(),
      ElementsAre("pool.test.: its keys cannot sign; queries for it fail until it can be signed"));
  // A zone that has no keys any more is not signed any more.
  round_.turn_to(pool(1), {}, {}, now_);
  EXPECT_FALSE(round_.signs_anything());
}

// So many names that all their variants are more than kFewAbove, and two of few subsets.
std::shared_ptr<const dns::CompiledZones> large_pool(const std::string& more = "") {
  return pool(400, R"(, "six": {"a": [)" + addresses("10.5.0.", 6) + R"(]}, "w": {"a": [)" +
                       addresses("10.6.0.", 40) + more + "]}");
}

struct LargePool : SigningRoundTest {
  void SetUp() override {
    options_.redraw_signatures = 100'000;
    round_.turn_to(large_pool(), keys_, options_, now_);
    run(Duration::seconds(1));
    ASSERT_EQ(round_.missing(), 0U);
  }
  const dns::SignedSet& set_of(const char* label, const dns::SignedZones& in) {
    const auto& zones = *round_.zones();
    const auto name = wire::dns::DnsName::from_text(std::string(label) + ".pool.test").value();
    const auto place = zones.find(dns::HashedName(name));
    const auto* entry = zones.entry(*place.node, wire::dns::RrType::kA);
    const dns::SignedSet* found =
        in.find(zones.index_of(*place.node), zones.index_of(*zones.set(*entry, 0)));
    CHECK(found != nullptr);
    return *found;
  }
  std::uint32_t count(const char* label) { return set_of(label, *round_.result()).count; }
  void ask(const char* label, int times) {
    const auto made = round_.result();
    for (int i = 0; i < times; ++i) set_of(label, *made).note_asked();
  }
  dns::SigningOptions options_;
};

TEST_F(LargePool, a_name_has_as_many_draws_as_it_is_asked_for) {
  EXPECT_LT(signatures(), 402U * 4U + 1000U);
  EXPECT_EQ(count("7"), 4U);
  EXPECT_EQ(count("six"), 4U);
  const std::uint64_t before = signatures();
  run(Duration::seconds(300));
  EXPECT_EQ(signatures(), before) << "nobody asks";
  ask("7", 4);
  run(Duration::seconds(1));
  EXPECT_EQ(count("7"), 8U) << "past its TTL";
  ask("7", 8);
  run(Duration::seconds(5));
  EXPECT_EQ(count("7"), 8U) << "each once is enough until the TTL is over";
  ask("7", 1);
  run(Duration::seconds(1));
  EXPECT_EQ(count("7"), 18U);
  ask("7", 1000);
  run(Duration::seconds(1));
  EXPECT_EQ(count("7"), 64U);
  EXPECT_EQ(count("8"), 4U);
  EXPECT_EQ(signatures(), before + 8U + 10U + 46U) << "those there were are kept";
  // Who is asked for less has fewer again.
  run(Duration::seconds(60));
  ask("7", 3);
  run(Duration::seconds(1));
  EXPECT_EQ(count("7"), 6U);
}

TEST_F(LargePool, draws_that_are_kept_stay_as_they_were_until_their_ttl_is_over) {
  const auto entries = [this](std::uint32_t count) {
    const auto made = round_.result();
    const dns::SignedSet& set = set_of("7", *made);
    EXPECT_GE(set.count, count);
    return std::vector<std::byte>(set.entry(0), set.entry(count));
  };
  const auto head = [this] {
    const auto made = round_.result();
    const Bytes of = set_of("7", *made).head(0);
    return std::vector<std::byte>(of.begin(), of.end());
  };
  run(Duration::seconds(120));
  ask("7", 4);
  run(Duration::seconds(1));
  ASSERT_EQ(count("7"), 8U);
  const auto first = entries(8);
  const auto first_head = head();
  run(Duration::seconds(20));
  ask("7", 20);
  run(Duration::seconds(2));
  ASSERT_EQ(count("7"), 40U);
  EXPECT_EQ(entries(8), first);
  EXPECT_EQ(head(), first_head) << "the same times";
  // Added ones keep none beyond the TTL of the first.
  ask("7", 10);
  run(Duration::seconds(40));
  ASSERT_EQ(count("7"), 20U);
  EXPECT_NE(entries(8), first);
  EXPECT_NE(head(), first_head);
}

TEST_F(LargePool, a_set_with_few_subsets_has_all_of_them_once_it_is_asked_for) {
  ask("six", 10);
  run(Duration::seconds(1));
  const auto made = round_.result();
  EXPECT_EQ(set_of("six", *made).form, dns::SignedSet::Form::kSubsets);
  EXPECT_EQ(set_of("six", *made).count, 15U);
  const std::uint64_t before = signatures();
  ask("six", 1000);
  run(Duration::seconds(300));
  EXPECT_EQ(signatures(), before) << "drawn while answering: nothing is made anew";
}

TEST_F(LargePool, a_set_in_anothers_place_has_as_many_draws_as_that_had) {
  ask("w", 20);
  run(Duration::seconds(1));
  ASSERT_EQ(count("w"), 40U);
  round_.turn_to(large_pool(R"(,["10.6.1.1", 5])"), keys_, options_, now_);
  EXPECT_EQ(round_.missing(), 1U);
  run(Duration::seconds(1));
  EXPECT_EQ(count("w"), 40U);
}

TEST_F(LargePool, redraws_are_limited_and_what_was_handed_out_most_often_goes_first) {
  options_.redraw_signatures = 100;
  round_.turn_to(large_pool(), keys_, options_, now_);
  run(Duration::seconds(2));
  asked_each_second_ = 1;
  const std::uint64_t before = signatures();
  run(Duration::seconds(120));
  EXPECT_GE(signatures() - before, 110U * 100U);
  EXPECT_LE(signatures() - before, 121U * 100U + 64U);
  ask("7", 2000);
  run(Duration::seconds(2));
  EXPECT_EQ(count("7"), 64U);
}

// How often each server is handed out, of names that are asked for in very different measure, over
// twenty TTLs. The expectation is of unsigned draws; the variance is larger since a draw is handed
// out more than once, which counts (n draws, each c times: the sum of c squares over that of c).
TEST_F(LargePool, over_redraws_servers_have_their_weights_shares) {
  Prng prng(11);
  std::map<std::vector<std::byte>, std::uint32_t> uses;  // of each signature
  std::vector<double> given(40);
  double answers = 0;
  for (int second = 0; second < 20 * 60; ++second) {
    const auto made = round_.result();
    for (const int label : {0, 1, 2, 4, 8, 16, 32, 64}) {
      const auto& set = set_of(std::to_string(label).c_str(), *made);
      for (std::uint64_t i = prng.below(static_cast<std::uint64_t>(label) * 2 + 2); i > 0; --i) {
        const auto variant = static_cast<std::uint32_t>(prng.below(set.count));
        set.note_asked();
        const std::byte* const numbers = set.entry(variant) + dnssec::kSignatureSize;
        ++uses[{set.entry(variant), numbers}];
        for (std::size_t k = 0; k < 4; ++k) ++given[dns::SignedSet::number_in(numbers, k)];
        ++answers;
      }
    }
    run(Duration::seconds(1));
  }
  double squares = 0;
  for (const auto& [signature, count] : uses) squares += double{1} * count * count;
  const double inflation = squares / answers;
  EXPECT_LT(inflation, 64);
  // Of each server in draws of four by weight, from many of them.
  constexpr int kDraws = 2'000'000;
  std::vector<std::uint32_t> weights(40);
  std::iota(weights.begin(), weights.end(), 1U);
  std::vector<dns::AliasColumn> columns(40);
  dns::build_alias(weights, columns);
  const dns::WeightedItems items{weights, columns, 820, 40};
  std::vector<double> expected(40);
  std::array<std::uint32_t, 4> drawn;
  for (int i = 0; i < kDraws; ++i) {
    dns::draw(items, prng, drawn);
    for (const std::uint32_t item : drawn) expected[item] += answers / kDraws;
  }
  double chi2 = 0;
  for (std::size_t i = 0; i < 40; ++i) {
    chi2 += (given[i] - expected[i]) * (given[i] - expected[i]) / expected[i];
  }
  std::printf("%.0f answers, each draw %.1f times, chi2 %.1f\n", answers, inflation,
              chi2 / inflation);
  // 39 degrees of freedom at the most: above 80 once in ten thousand.
  EXPECT_LT(chi2 / inflation, 80);
  EXPECT_GT(chi2 / inflation, 5) << "too even to be draws";
}

TEST(SigningKeeper, publishes_zones_with_keys_when_they_are_signed_and_leaves_others_alone) {
  sys::Logger logger("test", sys::LogLevel::kError);
  std::vector<
      std::pair<std::shared_ptr<const dns::CompiledZones>, std::shared_ptr<const dns::SignedZones>>>
      got;
  std::mutex mutex;
  SigningKeeper keeper({}, logger, [&](auto zones, auto signed_zones) {
    const std::lock_guard lock(mutex);
    got.emplace_back(std::move(zones), std::move(signed_zones));
  });
  const auto zones = pool(1);
  EXPECT_FALSE(keeper.take_zones(zones));
  keeper.take_keys(std::make_shared<dnssec::KeysByZone>(keys_for({"pool.test"})));
  EXPECT_TRUE(keeper.take_zones(zones));
  keeper.settle();
  ASSERT_EQ(got.size(), 1U);
  EXPECT_EQ(got[0].first, zones);
  ASSERT_NE(got[0].second, nullptr);
  EXPECT_EQ(&got[0].second->zones(), zones.get());
  EXPECT_EQ(keeper.report().missing, 0U);
  EXPECT_GT(keeper.report().memory, 64U * 100U);
  keeper.start();
  const auto next = pool(2);
  EXPECT_TRUE(keeper.take_zones(next));
  for (int i = 0; i < 500; ++i) {
    {
      const std::lock_guard lock(mutex);
      if (got.back().first == next) break;
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  const std::lock_guard lock(mutex);
  EXPECT_EQ(got.back().first, next);
}

TEST_F(SigningRoundTest, a_zone_without_its_keys_is_withheld_unless_it_was_given_unsigned) {
  const std::string name = keys_.begin()->first;
  const dnssec::KeysByZone waiting{{name, nullptr}};
  round_.turn_to(pool(1), waiting, {}, now_);
  EXPECT_TRUE(round_.withholds_anything());
  EXPECT_TRUE(round_.result()->withholds(0));
  EXPECT_THAT(
      round_.problems(),
      ElementsAre("pool.test.: it has no keys; queries for it fail until it can be signed"));
  round_.turn_to(pool(1), keys_, {}, now_);
  run(Duration::seconds(1));
  EXPECT_FALSE(round_.withholds_anything());
  EXPECT_FALSE(round_.result()->withholds(0));
  EXPECT_THAT(round_.problems(), IsEmpty());
  // Keys that go are used on.
  round_.turn_to(pool(1), waiting, {}, now_);
  EXPECT_TRUE(round_.signs_anything());
  // One that begins to be signed is given as it was until there are keys, new versions too.
  SigningRound other(1);
  other.turn_to(pool(1), {}, {}, now_);
  for (const int labels : {1, 2}) {
    other.turn_to(pool(labels), waiting, {}, now_);
    EXPECT_FALSE(other.withholds_anything());
    EXPECT_THAT(
        other.problems(),
        ElementsAre("pool.test.: it has no keys; it is served without signatures, as it was"));
  }
  other.turn_to(pool(2), keys_, {}, now_);
  EXPECT_TRUE(other.signs_anything());
}

// As after a take-over that was given up.
TEST(SigningKeeper, may_be_started_again) {
  sys::Logger logger("test", sys::LogLevel::kError);
  SigningKeeper keeper({}, logger, [](auto, auto) {});
  keeper.start();
  keeper.start();
}

TEST(SigningKeeper, zones_that_wait_for_keys_are_published_as_withheld) {
  sys::Logger logger("test", sys::LogLevel::kError);
  std::shared_ptr<const dns::SignedZones> got;
  SigningKeeper keeper({}, logger, [&](auto, auto made) { got = std::move(made); });
  auto keys = std::make_shared<dnssec::KeysByZone>();
  (*keys)[keys_for({"pool.test"}).begin()->first] = nullptr;
  keeper.take_keys(keys);
  EXPECT_TRUE(keeper.take_zones(pool(1)));
  keeper.settle();
  ASSERT_NE(got, nullptr);
  EXPECT_TRUE(got->withholds(0));
  keeper.take_keys(std::make_shared<dnssec::KeysByZone>(keys_for({"pool.test"})));
  keeper.settle();
  EXPECT_FALSE(got->withholds(0));
}

}  // namespace
}  // namespace timepool::dnsd
