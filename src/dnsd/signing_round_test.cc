#include "dnsd/signing_round.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "dns/signed_testing.h"
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
            addresses(("10.1." + std::to_string(i) + ".").c_str(), 40) + "]}";
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
      while (round_.step(now_, 100'000)) {
      }
      advance(Duration::seconds(1));
    }
  }
  void advance(Duration span) {
    now_.mono = now_.mono + span;
    now_.unix_time += static_cast<std::uint32_t>(span.ns() / 1'000'000'000);
  }
  std::uint64_t signatures() const { return round_.totals(now_).signatures; }
  void break_keys(bool broken) {
    for (const auto& key : keys_.begin()->second->keys) {
      const_cast<HashSigner*>(dynamic_cast<const HashSigner*>(key.signer.get()))->broken = broken;
    }
  }

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
  std::uint64_t last = first;
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

TEST_F(SigningRoundTest, a_large_first_pass_makes_few_variants_and_the_rest_follows) {
  dns::SigningOptions options;
  options.variants = 1000;
  options.alias_variants = 1000;
  round_.turn_to(pool(25), keys_, options, now_);
  while (round_.missing() > 0) round_.step(now_, 1);
  EXPECT_LT(signatures(), 25U * 4U + 100U);
  run(Duration::seconds(3));
  EXPECT_GT(signatures(), 25U * 1000U);
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
