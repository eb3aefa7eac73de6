// Zones whose keys roll for ten years, with parents that are slow, that still find old CDS sets,
// and that nobody sees at once; operators who change their minds; and a checker that asks at every
// moment whether each validator can follow.
#include <gtest/gtest.h>

#include "base/prng.h"
#include "dnssec/key_plan.h"
#include "dnssec/key_plan_checker.h"

namespace timepool::dnssec {
namespace {

constexpr PlanTime kDay = 86'400;
constexpr PlanTime kYear = 365 * kDay;
constexpr PlanTime kStart = 1'800'000'000;
constexpr std::array kAlgorithms{Algorithm::kEcdsaP256Sha256, Algorithm::kEd25519};

class World {
 public:
  World(std::uint64_t seed, KeyPolicy policy)
      : prng_(seed), plan_(policy, KeyRecord{}, kStart), checker_(policy.times) {
    fault_ = checker_.parent({}, policy.times.ds_ttl, now_);
  }

  // Until `end`, with somebody who changes something every `restless` seconds on average; 0:
  // nobody.
  void run(PlanTime end, PlanTime restless) {
    restless_ = restless;
    next_change_ = restless > 0 ? now_ + below(2 * restless) : end + 1;
    for (int i = 0; now_ < end && fault_.empty(); ++i) {
      ASSERT_LT(i, 2'000'000);
      step();
      now_ = std::min({plan_.next_deadline(now_).value_or(end), next_change_, next_poll_,
                       plan_.waits_for_parent(now_) ? now_ + 1 + below(1800) : end, end});
      if (now_ >= next_poll_) poll_of_parent();
      if (now_ >= next_change_) change();
    }
    step();
  }

  const KeyPlan& plan() const { return plan_; }
  const std::string& fault() const { return fault_; }
  std::uint64_t checked() const { return checker_.checked(); }
  PlanTime now() const { return now_; }
  int made() const { return made_; }
  void settle() {
    KeyPolicy policy = plan_.policy();
    policy.unsign = false;
    plan_.set_policy(policy, now_);
  }

 private:
  PlanTime below(PlanTime limit) {
    return static_cast<PlanTime>(prng_.below(static_cast<std::uint64_t>(limit)));
  }

  void step() {
    for (const KeyWish& wish : plan_.wishes(now_)) {
      while (plan_.has_tag(next_tag_)) ++next_tag_;
      plan_.add(wish.role, wish.algorithm, next_tag_++, {std::byte{1}}, now_);
      ++made_;
    }
    if (plan_.waits_for_parent(now_)) observe();
    plan_.step(now_);
    // Nothing is left to do at the same moment.
    EXPECT_FALSE(plan_.step(now_));
    EXPECT_LE(plan_.record().keys.size(), KeyPlan::kMaxKeys);
    note(checker_.zone(plan_.record(), plan_.policy().times, plan_.policy().unsign, now_));
  }
  void note(const std::string& fault) {
    if (fault_.empty()) fault_ = fault;
  }

  // One of the parent's servers is asked, which may be behind.
  void observe() {
    const auto& parents = checker_.parents();
    std::vector<const KeyPlanChecker::Set*> served;
    for (const auto& set : parents) {
      if (set.until > now_) served.push_back(&set);
    }
    const auto* seen = served[prng_.below(served.size())];
    std::vector<std::uint16_t> tags;
    for (const auto& key : seen->keys) tags.push_back(key.tag);
    plan_.observe_parent(tags, now_);
  }

  // The parent takes over what CDS says, as any server has it or any cache still holds it.
  void poll_of_parent() {
    next_poll_ = now_ + 1 + below(4 * kDay);
    std::vector<const KeyPlanChecker::Set*> found;
    for (const auto& set : checker_.dnskeys()) {
      if (set.end() > now_) found.push_back(&set);
    }
    if (found.empty()) return;
    const auto* set = found[prng_.below(found.size())];
    if (set->offered.empty() && !set->remove) return;
    KeyPlanChecker::Keys ds;
    for (const auto& key : set->keys) {
      const auto& tags = set->offered;
      if (std::find(tags.begin(), tags.end(), key.tag) != tags.end()) ds.insert(key);
    }
    note(checker_.parent(ds, plan_.policy().times.ds_ttl, now_));
  }

  void change() {
    next_change_ = now_ + 1 + below(2 * restless_);
    KeyPolicy policy = plan_.policy();
    switch (prng_.below(8)) {
      case 0:
        policy.mode = policy.mode == KeyMode::kCsk ? KeyMode::kKskZsk : KeyMode::kCsk;
        break;
      case 1:
        policy.algorithm = kAlgorithms[prng_.below(2)];
        break;
      case 2:
        policy.unsign = prng_.below(4) == 0;
        break;
      case 3:
        policy.times.dnskey_ttl = static_cast<std::uint32_t>(60 + below(2 * kDay));
        break;
      case 4:
        policy.times.max_zone_ttl = static_cast<std::uint32_t>(60 + below(2 * kDay));
        break;
      default: {
        const auto& keys = plan_.record().keys;
        if (!keys.empty()) plan_.ask_to_leave(keys[prng_.below(keys.size())].tag);
        return;
      }
    }
    plan_.set_policy(policy, now_);
  }

  Prng prng_;
  KeyPlan plan_;
  KeyPlanChecker checker_;
  std::string fault_;
  PlanTime now_ = kStart;
  PlanTime next_poll_ = kStart + kDay;
  PlanTime next_change_ = 0;
  PlanTime restless_ = 0;
  std::uint16_t next_tag_ = 1;
  int made_ = 0;
};

KeyPolicy policy_of(KeyMode mode) {
  KeyPolicy out;
  out.mode = mode;
  out.entry_lifetime = kYear;
  out.zsk_lifetime = 90 * kDay;
  if (mode == KeyMode::kCsk) out.zsk_lifetime = 0;
  return out;
}

// One key for each role, all of them active, of the wanted algorithm; all others are gone.
void expect_settled(const World& world) {
  const KeyPlan& plan = world.plan();
  std::size_t wanted = 0;
  for (const PlannedKey& key : plan.record().keys) {
    if (!key.wanted) {
      EXPECT_EQ(plan.state_of(key, world.now()), KeyState::kRemoved) << key.tag;
      continue;
    }
    ++wanted;
    EXPECT_EQ(key.algorithm, plan.policy().algorithm);
    EXPECT_EQ(plan.state_of(key, world.now()), KeyState::kActive) << key.tag;
  }
  EXPECT_EQ(wanted, plan.policy().mode == KeyMode::kCsk ? 1U : 2U);
}

class TenYears : public testing::TestWithParam<KeyMode> {};
INSTANTIATE_TEST_SUITE_P(Modes, TenYears, testing::Values(KeyMode::kCsk, KeyMode::kKskZsk));

TEST_P(TenYears, every_validator_can_follow_the_rolls_by_lifetime) {
  for (std::uint64_t seed = 1; seed <= 4; ++seed) {
    World world(seed, policy_of(GetParam()));
    world.run(kStart + 10 * kYear, 0);
    ASSERT_EQ(world.fault(), "") << "seed " << seed;
    EXPECT_GT(world.checked(), 100U);
    // A key of a year and one of 90 days; a CSK each year.
    EXPECT_GE(world.made(), GetParam() == KeyMode::kCsk ? 10 : 48) << "seed " << seed;
  }
}

TEST_P(TenYears, every_validator_can_follow_an_operator_without_rest) {
  for (std::uint64_t seed = 1; seed <= 15; ++seed) {
    World world(seed, policy_of(GetParam()));
    const PlanTime restless = seed % 3 == 0 ? kDay / 2 : 10 * kDay;
    world.run(kStart + (seed % 3 == 0 ? 2 : 10) * kYear, restless);
    ASSERT_EQ(world.fault(), "") << "seed " << seed;
    world.settle();
    world.run(world.now() + kYear / 3, 0);
    ASSERT_EQ(world.fault(), "") << "seed " << seed;
    if (GetParam() == KeyMode::kCsk) continue;
    EXPECT_GT(world.made(), 20) << "seed " << seed;
  }
}

TEST(KeyPlanProperty, what_an_operator_left_half_done_comes_to_rest) {
  for (std::uint64_t seed = 100; seed < 120; ++seed) {
    KeyPolicy policy = policy_of(seed % 2 == 0 ? KeyMode::kCsk : KeyMode::kKskZsk);
    policy.entry_lifetime = policy.zsk_lifetime = 0;
    World world(seed, policy);
    world.run(kStart + kYear, 5 * kDay);
    world.settle();
    world.run(world.now() + kYear / 2, 0);
    ASSERT_EQ(world.fault(), "") << "seed " << seed;
    SCOPED_TRACE("seed " + std::to_string(seed));
    expect_settled(world);
  }
}

}  // namespace
}  // namespace timepool::dnssec
