#include "dnssec/key_plan.h"

#include <gtest/gtest.h>

namespace timepool::dnssec {
namespace {

constexpr PlanTime kHour = 3600;
constexpr PlanTime kDay = 86'400;
constexpr PlanTime kStart = 1'800'000'000;
// With the default times: until a DNSKEY, an answer, a DS is certain with everybody.
constexpr PlanTime kKeyWait = 2 * kHour;
constexpr PlanTime kDataWait = 25 * kHour;
constexpr PlanTime kDsWait = 25 * kHour;

std::array<std::byte, 32> first_octets(Bytes message) {
  std::array<std::byte, 32> out{};
  std::copy_n(message.begin(), std::min(message.size(), out.size()), out.begin());
  return out;
}

class KeyPlanTest : public testing::Test {
 protected:
  void begin(KeyMode mode) {
    policy_.mode = mode;
    plan_.emplace(policy_, KeyRecord{}, now_);
    run(0);
  }
  // Everything that is due within `seconds`, each thing at its moment.
  void run(PlanTime seconds) {
    const PlanTime end = now_ + seconds;
    for (;;) {
      for (const KeyWish& wish : plan_->wishes(now_)) {
        plan_->add(wish.role, wish.algorithm, next_tag_++, {std::byte{7}}, now_);
      }
      plan_->step(now_);
      const auto next = plan_->next_deadline(now_);
      if (!next || *next > end) break;
      now_ = *next;
    }
    now_ = end;
    plan_->step(now_);
  }
  const PlannedKey& key(std::uint16_t tag) const {
    for (const PlannedKey& it : plan_->record().keys) {
      if (it.tag == tag) return it;
    }
    static const PlannedKey kNone{};
    ADD_FAILURE() << "no key " << tag;
    return kNone;
  }
  KeyState state(std::uint16_t tag) const { return plan_->state_of(key(tag), now_); }
  ZoneKeys served() const { return zone_keys(plan_->record(), owner_, first_octets); }
  std::vector<std::uint16_t> published() const {
    std::vector<std::uint16_t> out;
    for (const ZoneKey& it : served().keys) {
      if (it.published) out.push_back(it.tag);
    }
    return out;
  }
  // A zone that validates: the DS of its first entry point is known everywhere.
  void begin_secure(KeyMode mode) {
    begin(mode);
    run(kDataWait);
    plan_->observe_parent({1}, now_);
    run(kDsWait);
  }

  wire::dns::DnsName owner_ = wire::dns::DnsName::from_text("Pool.Example").value();
  KeyPolicy policy_;
  PlanTime now_ = kStart;
  std::uint16_t next_tag_ = 1;
  std::optional<KeyPlan> plan_;
};

TEST_F(KeyPlanTest,
       a_new_zone_is_signed_at_once_and_its_DS_is_offered_when_all_know_its_signatures) {
  begin(KeyMode::kCsk);
  ZoneKeys keys = served();
  ASSERT_EQ(keys.keys.size(), 1U);
  EXPECT_EQ(keys.keys[0].flags, kZoneKeyFlag | kEntryPointFlag);
  EXPECT_TRUE(keys.keys[0].published && keys.keys[0].signs_keys && keys.keys[0].signs_data);
  EXPECT_TRUE(keys.cds.empty() && keys.cdnskey.empty());
  run(kDataWait - 1);
  EXPECT_TRUE(served().cds.empty());
  run(1);
  keys = served();
  ASSERT_EQ(keys.cds.size(), 1U);
  ASSERT_EQ(keys.cdnskey.size(), 1U);
  EXPECT_EQ(keys.cdnskey[0], dnskey_data(keys.keys[0]));
  EXPECT_TRUE(plan_->waits_for_parent(now_));
}

TEST_F(KeyPlanTest, RFC4034_5_1_a_DS_is_over_the_owner_in_lower_case_and_the_data_of_DNSKEY) {
  begin(KeyMode::kCsk);
  const std::vector<std::byte> ds = ds_data(owner_, served().keys[0], first_octets);
  ASSERT_EQ(ds.size(), 36U);
  EXPECT_EQ(ds[0], std::byte{0});
  EXPECT_EQ(ds[1], std::byte{1});   // the tag
  EXPECT_EQ(ds[2], std::byte{13});  // RFC 6605
  EXPECT_EQ(ds[3], std::byte{2});   // RFC 4509
  EXPECT_EQ(ds[4], std::byte{4});   // "\4pool\7example\0", as this digest lets it through
  EXPECT_EQ(ds[5], std::byte{'p'});
  EXPECT_EQ(ds[4 + 14], std::byte{1});  // flags 257, protocol 3
  EXPECT_EQ(ds[4 + 15], std::byte{1});
  EXPECT_EQ(ds[4 + 16], std::byte{3});
}

TEST_F(KeyPlanTest, RFC7583_3_2_1_a_ZSK_is_published_before_it_signs_and_after_it_signed) {
  policy_.zsk_lifetime = 10 * kDay;
  begin_secure(KeyMode::kKskZsk);
  ASSERT_EQ(key(2).role, KeyRole::kZsk);
  run(kStart + 10 * kDay - kKeyWait - now_);
  // Its successor, in time to be known when the life of this one ends.
  EXPECT_EQ(published(), (std::vector<std::uint16_t>{1, 2, 3}));
  EXPECT_EQ(state(3), KeyState::kPublished);
  EXPECT_TRUE(key(2).signing.on());
  run(kKeyWait);
  EXPECT_EQ(key(2).signing.until, kStart + 10 * kDay);
  EXPECT_EQ(key(3).signing.from, kStart + 10 * kDay);
  EXPECT_EQ(state(2), KeyState::kRetired);
  EXPECT_EQ(state(3), KeyState::kActive);
  run(kDataWait - 1);
  EXPECT_EQ(published(), (std::vector<std::uint16_t>{1, 2, 3}));
  run(1);
  EXPECT_EQ(published(), (std::vector<std::uint16_t>{1, 3}));
  run(kKeyWait);
  EXPECT_EQ(state(2), KeyState::kRemoved);
}

TEST_F(KeyPlanTest, RFC7583_3_3_1_a_KSK_goes_when_the_DS_of_the_next_is_known_everywhere) {
  begin_secure(KeyMode::kKskZsk);
  ASSERT_TRUE(plan_->ask_to_leave(1));
  run(kKeyWait);
  EXPECT_EQ(published(), (std::vector<std::uint16_t>{1, 2, 3}));
  ASSERT_EQ(served().cds.size(), 1U);
  EXPECT_EQ(served().cds[0][1], std::byte{3});  // the tag of the next
  // Both sign the keys until the parent has followed, however long that takes.
  run(300 * kDay);
  for (const ZoneKey& it : served().keys) EXPECT_EQ(it.signs_keys, it.tag != 2 && it.tag < 4);
  plan_->observe_parent({3}, now_);
  run(kDsWait - 1);
  EXPECT_EQ(published().front(), 1);
  run(1);
  EXPECT_NE(published().front(), 1);
  EXPECT_EQ(state(3), KeyState::kActive);
}

TEST_F(KeyPlanTest, RFC6781_4_1_4_a_new_algorithm_signs_first_and_the_old_one_signs_last) {
  begin_secure(KeyMode::kCsk);
  policy_.algorithm = Algorithm::kEd25519;
  plan_->set_policy(policy_, now_);
  run(0);
  const PlanTime changed = now_;
  EXPECT_TRUE(key(2).signing.on());
  EXPECT_EQ(published(), (std::vector<std::uint16_t>{1}));
  ASSERT_EQ(served().keys.size(), 2U);
  EXPECT_FALSE(served().keys[1].published || served().keys[1].signs_keys);
  run(kDataWait);
  EXPECT_EQ(key(2).published.from, changed + kDataWait);
  run(kKeyWait);
  ASSERT_EQ(served().cds.size(), 1U);
  EXPECT_EQ(served().cds[0][2], std::byte{15});
  plan_->observe_parent({2}, now_);
  run(kKeyWait + kDsWait);
  EXPECT_EQ(published(), (std::vector<std::uint16_t>{2}));
  EXPECT_TRUE(key(1).signing.on());
  run(kKeyWait);
  EXPECT_FALSE(key(1).signing.on());
  EXPECT_EQ(state(1), KeyState::kRemoved);
}

TEST_F(KeyPlanTest, RFC8078_4_a_zone_that_is_to_be_unsigned_asks_for_its_DS_to_go_and_waits) {
  begin_secure(KeyMode::kKskZsk);
  policy_.unsign = true;
  plan_->set_policy(policy_, now_);
  run(100 * kDay);
  ZoneKeys keys = served();
  EXPECT_EQ(published(), (std::vector<std::uint16_t>{1, 2}));
  const std::vector<std::byte> cds(5);
  std::vector<std::byte> cdnskey(5);
  cdnskey[2] = std::byte{3};
  ASSERT_EQ(keys.cds.size(), 1U);
  ASSERT_EQ(keys.cdnskey.size(), 1U);
  EXPECT_EQ(keys.cds[0], cds);
  EXPECT_EQ(keys.cdnskey[0], cdnskey);
  plan_->observe_parent({}, now_);
  run(kDsWait - 1);
  EXPECT_EQ(served().keys.size(), 2U);
  run(1);
  EXPECT_TRUE(served().keys.empty());
  EXPECT_TRUE(served().cds.empty());
}

TEST_F(KeyPlanTest, an_emergency_replaces_every_key_and_keeps_the_chain) {
  begin_secure(KeyMode::kKskZsk);
  ASSERT_TRUE(plan_->ask_to_leave(1));
  ASSERT_TRUE(plan_->ask_to_leave(2));
  run(kKeyWait);
  EXPECT_TRUE(key(4).signing.on());
  EXPECT_EQ(served().cds[0][1], std::byte{3});
  plan_->observe_parent({3}, now_);
  run(kKeyWait + kDsWait + kDataWait);
  EXPECT_EQ(published(), (std::vector<std::uint16_t>{3, 4}));
}

TEST_F(KeyPlanTest, a_key_that_was_only_published_leaves_without_a_successor) {
  policy_.zsk_lifetime = 10 * kDay;
  begin_secure(KeyMode::kKskZsk);
  run(kStart + 10 * kDay - kKeyWait - now_);
  ASSERT_TRUE(plan_->ask_to_leave(3));
  run(0);
  EXPECT_FALSE(key(3).wanted);
  EXPECT_TRUE(key(2).signing.on());
  EXPECT_FALSE(plan_->ask_to_leave(3));
  EXPECT_FALSE(plan_->ask_to_leave(999));
}

TEST_F(KeyPlanTest, a_clock_that_goes_back_changes_nothing) {
  begin_secure(KeyMode::kKskZsk);
  plan_->ask_to_leave(1);
  run(0);
  const KeyRecord before = plan_->record();
  EXPECT_FALSE(plan_->step(now_ - 1000 * kDay));
  EXPECT_FALSE(plan_->step(0));
  EXPECT_TRUE(plan_->wishes(0).empty());
  EXPECT_EQ(plan_->record(), before);
}

TEST_F(KeyPlanTest, a_TTL_that_becomes_shorter_counts_when_the_longer_one_is_over) {
  policy_.times.dnskey_ttl = 2 * 86'400;
  begin_secure(KeyMode::kKskZsk);
  policy_.times.dnskey_ttl = 60;
  plan_->set_policy(policy_, now_);
  plan_->ask_to_leave(2);
  run(2 * kDay + kHour - 1);
  EXPECT_TRUE(key(2).signing.on());
  run(1);
  EXPECT_FALSE(key(2).signing.on());
  // The next roll waits for the short one only.
  plan_->ask_to_leave(3);
  run(kHour + 60);
  EXPECT_FALSE(key(3).signing.on());
}

TEST_F(KeyPlanTest, what_was_offered_may_be_at_the_parent_until_somebody_looked) {
  begin(KeyMode::kKskZsk);
  run(kDataWait);
  EXPECT_TRUE(plan_->secure(now_));
  plan_->ask_to_leave(1);
  run(400 * kDay);
  EXPECT_TRUE(key(1).published.on());
  plan_->observe_parent({3}, now_);
  run(kDsWait);
  EXPECT_FALSE(key(1).published.on());
}

TEST_F(KeyPlanTest, a_parent_that_falls_back_to_the_old_DS_is_noticed) {
  begin_secure(KeyMode::kKskZsk);
  plan_->ask_to_leave(1);
  run(kKeyWait);
  plan_->observe_parent({3}, now_);
  run(kHour);
  plan_->observe_parent({1}, now_);
  run(100 * kDay);
  EXPECT_TRUE(key(1).published.on());
  plan_->observe_parent({3}, now_);
  run(kDsWait);
  EXPECT_FALSE(key(1).published.on());
}

TEST_F(KeyPlanTest, keys_are_bounded_and_forgotten_after_some_time) {
  begin(KeyMode::kKskZsk);
  for (int i = 0; i < 500; ++i) {
    for (const PlannedKey& it : std::vector(plan_->record().keys)) plan_->ask_to_leave(it.tag);
    run(kHour);
    ASSERT_LE(plan_->record().keys.size(), KeyPlan::kMaxKeys);
  }
  run(100 * kDay);
  EXPECT_EQ(plan_->wishes(now_).size(), 0U);
}

TEST(KeyNames, are_those_of_the_files_and_reports) {
  EXPECT_EQ(name_of(KeyRole::kKsk), "ksk");
  EXPECT_EQ(name_of(KeyRole::kZsk), "zsk");
  EXPECT_EQ(name_of(KeyRole::kCsk), "csk");
  EXPECT_EQ(name_of(KeyState::kCreated), "created");
  EXPECT_EQ(name_of(KeyState::kRemoved), "removed");
  EXPECT_EQ(name_of(Algorithm::kEcdsaP256Sha256), "ecdsa-p256");
  EXPECT_EQ(name_of(Algorithm::kEd25519), "ed25519");
}

}  // namespace
}  // namespace timepool::dnssec
