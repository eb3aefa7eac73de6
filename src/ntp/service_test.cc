#include "ntp/service.h"

#include <gtest/gtest.h>

namespace timepool::ntp {
namespace {

constexpr std::string_view kPool = "pool.test";

ServiceAnswer answer(DnsTrust trust, const std::vector<std::string>& targets) {
  ServiceAnswer out;
  out.status = ServiceStatus::kFound;
  out.trust = trust;
  for (const std::string& it : targets) out.targets.push_back({it, 4460, 0, 10});
  return out;
}
ServiceAnswer none(DnsTrust trust) {
  ServiceAnswer out;
  out.status = ServiceStatus::kNone;
  out.trust = trust;
  return out;
}
NtsSettings settings(ServerLookup lookup, ServiceTrust trust = ServiceTrust::kSecure) {
  NtsSettings out;
  out.required = true;
  out.lookup = lookup;
  out.trust = trust;
  return out;
}
const NtsSettings kSrv = settings(ServerLookup::kServices);
const NtsSettings kAuto = settings(ServerLookup::kEither);

ServiceVerdict verdict(const ServiceAnswer& it, const NtsSettings& by) {
  return judge(it, by, kPool).verdict;
}

TEST(Service, LC1_the_name_is_absolute) {
  EXPECT_EQ(service_name("pool.test"), "_ntske._tcp.pool.test.");
  EXPECT_EQ(service_name("pool.test."), "_ntske._tcp.pool.test.");
}

TEST(Service, LC6_records_that_dnssec_proves_are_followed) {
  const ServiceJudgement found =
      judge(answer(DnsTrust::kSecure, {"A.m.pool.test.", "b.elsewhere.test"}), kSrv, kPool);
  EXPECT_EQ(found.verdict, ServiceVerdict::kUse);
  const std::vector<ServiceTarget> usable = found.usable();
  ASSERT_EQ(usable.size(), 2U);
  EXPECT_EQ(usable[0].target, "a.m.pool.test");
  EXPECT_EQ(usable[1].target, "b.elsewhere.test");
}

TEST(Service, LC6_records_of_an_unsigned_zone_are_not_followed) {
  EXPECT_EQ(verdict(answer(DnsTrust::kInsecure, {"a.m.pool.test"}), kSrv),
            ServiceVerdict::kInsecure);
  EXPECT_EQ(verdict(none(DnsTrust::kInsecure), kSrv), ServiceVerdict::kInsecure);
}

TEST(Service, LC6_of_a_bogus_answer_nothing_is_followed_by_any_setting) {
  for (const NtsSettings& by :
       {kSrv, kAuto, settings(ServerLookup::kEither, ServiceTrust::kSecureOrSuffix)}) {
    EXPECT_EQ(verdict(answer(DnsTrust::kBogus, {"a.m.pool.test"}), by), ServiceVerdict::kBogus);
    EXPECT_EQ(verdict(none(DnsTrust::kBogus), by), ServiceVerdict::kBogus);
  }
}

TEST(Service, LC6_an_alias_at_the_owner_is_not_followed) {
  ServiceAnswer it = answer(DnsTrust::kSecure, {"a.m.pool.test"});
  it.alias = true;
  EXPECT_EQ(verdict(it, kSrv), ServiceVerdict::kAlias);
  EXPECT_EQ(verdict(it, kAuto), ServiceVerdict::kAlias);
}

TEST(Service, LC6_without_proof_a_target_must_be_within_the_suffix) {
  const NtsSettings by = settings(ServerLookup::kServices, ServiceTrust::kSecureOrSuffix);
  const ServiceJudgement found =
      judge(answer(DnsTrust::kInsecure, {"a.m.pool.test", "evil.test", "m.pool.test",
                                         "x.y.m.pool.test", "a.m.pool.test.evil"}),
            by, kPool);
  EXPECT_EQ(found.verdict, ServiceVerdict::kUse);
  ASSERT_EQ(found.usable().size(), 1U);
  EXPECT_EQ(found.usable()[0].target, "a.m.pool.test");
  for (std::size_t i = 1; i < found.targets.size(); ++i) {
    EXPECT_EQ(found.targets[i].fault, TargetFault::kSuffix) << found.targets[i].target.target;
  }
  EXPECT_EQ(verdict(answer(DnsTrust::kInsecure, {"evil.test"}), by), ServiceVerdict::kNoTarget);
  // With proof the operator may name whom it will.
  EXPECT_EQ(verdict(answer(DnsTrust::kSecure, {"time.example"}), by), ServiceVerdict::kUse);
}

TEST(Service, a_suffix_is_a_template) {
  EXPECT_TRUE(within_suffix("A.M.Pool.Test", "*.m.{pool}", "pool.test"));
  EXPECT_TRUE(within_suffix("a.nts.example", "*.nts.example.", "pool.test"));
  EXPECT_TRUE(within_suffix("one.example", "one.example", "pool.test"));
  EXPECT_FALSE(within_suffix(".m.pool.test", "*.m.{pool}", "pool.test"));
  EXPECT_FALSE(within_suffix("a.mpool.test", "*.m.{pool}", "pool.test"));
}

TEST(Service, LC7_the_target_root_is_nobody_and_no_other_way_is_tried) {
  EXPECT_EQ(verdict(answer(DnsTrust::kSecure, {"."}), kSrv), ServiceVerdict::kNobody);
  EXPECT_EQ(verdict(answer(DnsTrust::kSecure, {"."}), kAuto), ServiceVerdict::kNobody);
}

TEST(Service, auto_asks_the_pool_itself_where_there_are_no_records_or_no_proof_is_possible) {
  EXPECT_EQ(verdict(none(DnsTrust::kSecure), kAuto), ServiceVerdict::kHost);
  EXPECT_EQ(verdict(none(DnsTrust::kInsecure), kAuto), ServiceVerdict::kHost);
  EXPECT_EQ(verdict(answer(DnsTrust::kInsecure, {"a.m.pool.test"}), kAuto), ServiceVerdict::kHost);
  EXPECT_EQ(verdict(answer(DnsTrust::kSecure, {"a.m.pool.test"}), kAuto), ServiceVerdict::kUse);
}

TEST(Service, auto_waits_while_look_ups_fail) {
  EXPECT_EQ(verdict(ServiceAnswer{}, kAuto), ServiceVerdict::kFailed);
}

TEST(Service, targets_that_are_no_host_names_and_port_0_are_refused) {
  ServiceAnswer it =
      answer(DnsTrust::kSecure, {"a b.test", "", "x..test", "under_score.test", "good.test"});
  it.targets.push_back({"zero.test", 0, 0, 0});
  const ServiceJudgement found = judge(it, kSrv, kPool);
  ASSERT_EQ(found.usable().size(), 1U);
  EXPECT_EQ(found.usable()[0].target, "good.test");
  EXPECT_EQ(found.targets.back().fault, TargetFault::kPort);
  EXPECT_FALSE(is_host_name(std::string(64, 'a') + ".test"));
  EXPECT_FALSE(is_host_name(std::string(254, 'a')));
}

TEST(Service, LC3_one_name_is_one_server_however_often_it_is_listed) {
  const ServiceJudgement found =
      judge(answer(DnsTrust::kSecure, {"a.test", "A.test.", "b.test"}), kSrv, kPool);
  EXPECT_EQ(found.usable().size(), 2U);
}

TEST(Service, an_answer_of_any_size_is_cut) {
  std::vector<std::string> names;
  for (int i = 0; i < 1000; ++i) names.push_back("s" + std::to_string(i) + ".test");
  EXPECT_EQ(judge(answer(DnsTrust::kSecure, names), kSrv, kPool).targets.size(), kMaxTargets);
}

}  // namespace
}  // namespace timepool::ntp
