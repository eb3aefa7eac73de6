#include "pool/nts_check.h"

#include <gtest/gtest.h>

#include <vector>

namespace timepool::pool {
namespace {

const UnixTime kNow = UnixTime::from_seconds(1'800'000'000);

NtsOpinion good() {
  return {kNow - Duration::seconds(10), NtsOutcome::kOk, 0};
}
NtsOpinion bad(std::uint32_t failures, NtsOutcome why = NtsOutcome::kNoReply) {
  return {kNow - Duration::seconds(10), why, failures};
}
NtsOpinion old(NtsOpinion opinion) {
  opinion.time = kNow - Duration::seconds(2701);
  return opinion;
}

NtsState after(NtsState state, const std::vector<NtsOpinion>& opinions, std::size_t active = 3) {
  return judge(state, opinions, active, NtsRules(), kNow).state;
}

TEST(NtsCheck, names_of_outcomes_lead_back_to_them) {
  for (std::size_t i = 0; i < kNtsOutcomes; ++i) {
    const auto outcome = static_cast<NtsOutcome>(i);
    EXPECT_EQ(nts_outcome_named(name_of(outcome)), outcome);
  }
  EXPECT_EQ(nts_outcome_named("fine"), std::nullopt);
  for (const NtsState state : {NtsState::kUnnamed, NtsState::kWaiting, NtsState::kConfirmed,
                               NtsState::kFailing, NtsState::kRemoved}) {
    EXPECT_EQ(nts_state_named(name_of(state)), state);
  }
}

TEST(NtsCheck, lo2_is_confirmed_by_a_majority_only) {
  EXPECT_EQ(after(NtsState::kWaiting, {}), NtsState::kWaiting);
  EXPECT_EQ(after(NtsState::kWaiting, {good()}), NtsState::kWaiting) << "one of two needed";
  EXPECT_EQ(after(NtsState::kWaiting, {good(), good()}), NtsState::kConfirmed);
  EXPECT_EQ(after(NtsState::kWaiting, {good(), bad(1)}), NtsState::kWaiting);
  EXPECT_EQ(after(NtsState::kWaiting, {good(), good(), bad(9)}), NtsState::kConfirmed);
  EXPECT_EQ(after(NtsState::kWaiting, {good(), good(), bad(9), bad(9)}), NtsState::kWaiting);
  EXPECT_EQ(after(NtsState::kFailing, {good(), good()}), NtsState::kConfirmed);
}

TEST(NtsCheck, one_monitor_decides_where_the_pool_has_no_other) {
  EXPECT_EQ(after(NtsState::kWaiting, {good()}, 1), NtsState::kConfirmed);
  EXPECT_EQ(after(NtsState::kConfirmed, {bad(2)}, 1), NtsState::kFailing);
}

TEST(NtsCheck, a_confirmed_one_leaves_after_two_failures_and_not_after_one) {
  EXPECT_EQ(after(NtsState::kConfirmed, {bad(1), bad(1)}), NtsState::kConfirmed);
  EXPECT_EQ(after(NtsState::kConfirmed, {bad(2), bad(1)}), NtsState::kConfirmed);
  EXPECT_EQ(after(NtsState::kConfirmed, {bad(2), bad(2)}), NtsState::kFailing);
  EXPECT_EQ(after(NtsState::kConfirmed, {bad(2), bad(2), good()}), NtsState::kFailing);
  EXPECT_EQ(after(NtsState::kConfirmed, {bad(2), good(), good()}), NtsState::kConfirmed);
}

TEST(NtsCheck, a_failing_one_needs_a_good_check_not_the_end_of_the_second_bad_one) {
  EXPECT_EQ(after(NtsState::kFailing, {bad(1), bad(1)}), NtsState::kFailing);
  EXPECT_EQ(after(NtsState::kFailing, {good(), bad(1)}), NtsState::kFailing);
}

TEST(NtsCheck, old_opinions_and_silence_change_nothing) {
  EXPECT_EQ(after(NtsState::kConfirmed, {}), NtsState::kConfirmed);
  EXPECT_EQ(after(NtsState::kConfirmed, {old(bad(9)), old(bad(9))}), NtsState::kConfirmed);
  EXPECT_EQ(after(NtsState::kWaiting, {old(good()), old(good())}), NtsState::kWaiting);
  EXPECT_EQ(after(NtsState::kConfirmed, {old(good()), bad(2), bad(2)}), NtsState::kFailing);
}

TEST(NtsCheck, tells_the_commonest_reason) {
  const auto verdict =
      judge(NtsState::kConfirmed,
            std::vector{bad(2, NtsOutcome::kNoReply), bad(2, NtsOutcome::kCertificateExpired),
                        bad(3, NtsOutcome::kCertificateExpired)},
            3, NtsRules(), kNow);
  EXPECT_EQ(verdict, (NtsVerdict{NtsState::kFailing, NtsOutcome::kCertificateExpired}));
  const auto waiting = judge(NtsState::kWaiting, std::vector{bad(1, NtsOutcome::kConnectFailed)}, 3,
                             NtsRules(), kNow);
  EXPECT_EQ(waiting, (NtsVerdict{NtsState::kWaiting, NtsOutcome::kConnectFailed}));
}

}  // namespace
}  // namespace timepool::pool
