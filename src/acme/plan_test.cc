// The ids A are those of the project's checklist of ACME.
#include "acme/plan.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace timepool::acme {
namespace {

constexpr Duration kDay = Duration::seconds(86'400);
const std::string kFirst = "https://one.test/dir";
const std::string kSecond = "https://two.test/dir";
const UnixTime kNow = UnixTime::from_seconds(1'800'000'000);

Failure failure(FailureKind kind = FailureKind::kUnreachable,
                std::optional<Duration> retry_after = std::nullopt) {
  return {kind, "because", retry_after};
}

SavedCertificate certificate(Duration life, UnixTime from = kNow) {
  SavedCertificate out;
  out.directory = kFirst;
  out.names = {"a.example"};
  out.id = "aki.serial";
  out.not_before = from;
  out.not_after = from + life;
  return out;
}

class PlanTest : public ::testing::Test {
 protected:
  PlanTest() {
    settings.directories = {kFirst, kSecond};
    settings.names = {"a.example"};
  }
  Plan at(UnixTime now, bool plausible = true, bool asked = false) const {
    return plan(state, settings, now, plausible, asked);
  }
  void issue(Duration life, double unit = 0) { note_issued(state, certificate(life), unit); }
  // So that it is about the rest.
  void know_renewal() { state.ask_again = kNow + kDay * 10'000; }

  PlanSettings settings;
  SavedState state;
};

TEST(RetryWait, A9_doubles_from_30_s_to_a_day_with_half_of_it_either_way) {
  EXPECT_EQ(retry_wait(1, {}, 0.5), Duration::seconds(30));
  EXPECT_EQ(retry_wait(2, {}, 0.5), Duration::seconds(60));
  EXPECT_EQ(retry_wait(8, {}, 0.5), Duration::seconds(3840));
  EXPECT_EQ(retry_wait(13, {}, 0.5), kDay);
  EXPECT_EQ(retry_wait(1'000'000, {}, 0.5), kDay);
  EXPECT_EQ(retry_wait(1, {}, 0), Duration::seconds(15));
  EXPECT_EQ(retry_wait(1, {}, 1), Duration::seconds(45));
}

TEST(RetryWait, A9_is_no_less_than_the_authority_wants_up_to_a_week) {
  EXPECT_EQ(retry_wait(1, Duration::seconds(7200), 0.5), Duration::seconds(7200));
  EXPECT_EQ(retry_wait(13, Duration::seconds(60), 0.5), kDay);
  EXPECT_EQ(retry_wait(1, kDay * 3650, 0.5), kDay * 7);
}

TEST(RenewalByLifetime, A7_is_at_two_thirds_or_at_half_of_a_short_one) {
  const auto share = [](Duration life, double unit) {
    return (renewal_by_lifetime(kNow, kNow + life, unit) - kNow).to_seconds() / life.to_seconds();
  };
  EXPECT_NEAR(share(kDay * 90, 0), 2.0 / 3, 1e-9);
  EXPECT_NEAR(share(kDay * 45, 0), 2.0 / 3, 1e-9);
  EXPECT_NEAR(share(kDay * 10, 0), 2.0 / 3, 1e-9);
  EXPECT_NEAR(share(Duration::seconds(160 * 3600), 0), 0.5, 1e-9);
  EXPECT_NEAR(share(kDay * 90, 1), 2.0 / 3 - 0.05, 1e-9);
}

TEST(IsExpiring, A10_is_the_last_tenth_or_the_last_day_of_a_short_one) {
  const UnixTime end = kNow + kDay * 90;
  EXPECT_FALSE(is_expiring(kNow, end, end - kDay * 10));
  EXPECT_TRUE(is_expiring(kNow, end, end - kDay * 9));
  EXPECT_TRUE(is_expiring(kNow, end, end + kDay));
  const UnixTime soon = kNow + kDay * 6;
  EXPECT_FALSE(is_expiring(kNow, soon, soon - kDay - Duration::seconds(1)));
  EXPECT_TRUE(is_expiring(kNow, soon, soon - kDay));
}

TEST_F(PlanTest, A11_does_nothing_before_the_clock_is_plausible) {
  EXPECT_EQ(at(kNow, false).step, Step::kWaitForClock);
  EXPECT_EQ(at(kNow, false, true).step, Step::kWaitForClock);
}

TEST_F(PlanTest, obtains_what_is_missing_from_the_first) {
  EXPECT_EQ(at(kNow), (Plan{Step::kObtain, kNow, kFirst, Cause::kMissing}));
}

TEST_F(PlanTest, A7_renews_when_the_lifetime_says) {
  issue(kDay * 90);
  know_renewal();
  const UnixTime due = kNow + kDay * 60;
  EXPECT_EQ(at(kNow), (Plan{Step::kWait, due, kFirst, Cause::kLifetime}));
  EXPECT_EQ(at(due), (Plan{Step::kObtain, due, kFirst, Cause::kLifetime}));
}

TEST_F(PlanTest, other_names_or_another_authority_are_a_reason_at_once) {
  issue(kDay * 90);
  settings.names = {"a.example", "b.example"};
  EXPECT_EQ(at(kNow).cause, Cause::kNames);
  settings.names = {"a.example"};
  settings.directories = {kSecond};
  EXPECT_EQ(at(kNow), (Plan{Step::kObtain, kNow, kSecond, Cause::kAuthority}));
}

TEST_F(PlanTest, A6_asks_for_renewal_information_right_after_issuance_and_as_told) {
  issue(kDay * 90);
  EXPECT_EQ(at(kNow).step, Step::kAskForRenewal);
  note_renewal(state, std::nullopt, Duration::seconds(3600), kNow, 0);
  EXPECT_EQ(at(kNow).step, Step::kWait);
  EXPECT_EQ(at(kNow).at, kNow + Duration::seconds(3600));
  EXPECT_EQ(at(kNow + Duration::seconds(3600)).step, Step::kAskForRenewal);
  state.certificate->id.clear();
  EXPECT_EQ(at(kNow).step, Step::kWait);
}

TEST_F(PlanTest, A6_the_authoritys_window_counts_more_than_the_lifetime) {
  issue(kDay * 90);
  const RenewalWindow early{kNow + kDay * 10, kNow + kDay * 12, ""};
  note_renewal(state, early, kDay, kNow, 0.5);
  EXPECT_EQ(at(kNow + kDay * 11), (Plan{Step::kObtain, kNow + kDay * 11, kFirst, Cause::kWindow}));
  // The same window chooses no other moment.
  note_renewal(state, early, kDay, kNow, 0.9);
  EXPECT_EQ(state.renewal->renew_at, kNow + kDay * 11);
  const RenewalWindow late{kNow + kDay * 70, kNow + kDay * 80, ""};
  note_renewal(state, late, kDay * 1000, kNow, 0);
  EXPECT_EQ(at(kNow + kDay * 61).step, Step::kWait);
  EXPECT_EQ(at(kNow + kDay * 70).step, Step::kObtain);
}

TEST_F(PlanTest, A6_a_window_in_the_past_means_now) {
  issue(kDay * 90);
  note_renewal(state, RenewalWindow{kNow - kDay * 2, kNow - kDay, ""}, kDay, kNow, 0.5);
  EXPECT_EQ(at(kNow), (Plan{Step::kObtain, kNow, kFirst, Cause::kWindow}));
}

TEST_F(PlanTest, A6_a_window_too_near_the_end_does_not_count) {
  issue(kDay * 90);
  note_renewal(state, RenewalWindow{kNow + kDay * 200, kNow + kDay * 201, ""}, kDay * 1000, kNow,
               0);
  EXPECT_EQ(at(kNow + kDay * 60).step, Step::kObtain);
  EXPECT_EQ(at(kNow + kDay * 60).cause, Cause::kLifetime);
}

TEST_F(PlanTest, A6_names_what_it_replaces_to_who_issued_it_only) {
  issue(kDay * 90);
  EXPECT_EQ(replaced_id(state, settings, kFirst), "aki.serial");
  EXPECT_EQ(replaced_id(state, settings, kSecond), "");
  settings.names = {"b.example"};
  EXPECT_EQ(replaced_id(state, settings, kFirst), "");
}

TEST_F(PlanTest, A9_waits_after_a_failure) {
  note_failure(state, kFirst, failure(), kNow, 0.5);
  EXPECT_EQ(at(kNow), (Plan{Step::kWait, kNow + Duration::seconds(30), kFirst, Cause::kMissing}));
  EXPECT_EQ(at(kNow + Duration::seconds(30)).step, Step::kObtain);
  EXPECT_EQ(state.authorities[0].last_failure->text, "because");
}

TEST_F(PlanTest, A9_the_next_authority_gets_its_turn_after_six_failures) {
  for (std::uint32_t i = 0; i < kFailuresOfOne; ++i) {
    EXPECT_EQ(at(kNow + kDay * 10 * i).directory, kFirst);
    note_failure(state, kFirst, failure(), kNow, 0.5);
  }
  EXPECT_EQ(at(kNow), (Plan{Step::kObtain, kNow, kSecond, Cause::kMissing}));
  for (std::uint32_t i = 0; i < kFailuresOfOne; ++i) {
    note_failure(state, kSecond, failure(), kNow + kDay, 0.5);
  }
  // All have failed: the one that may be asked soonest.
  EXPECT_EQ(at(kNow + kDay), (Plan{Step::kObtain, kNow + kDay, kFirst, Cause::kMissing}));
}

TEST_F(PlanTest, A9_with_the_next_certificate_the_first_gets_one_more_try) {
  for (int i = 0; i < 9; ++i) note_failure(state, kFirst, failure(), kNow, 0.5);
  SavedCertificate other = certificate(kDay * 90);
  other.directory = kSecond;
  note_issued(state, other, 0);
  know_renewal();
  const UnixTime due = kNow + kDay * 60;
  EXPECT_EQ(at(due).directory, kFirst);
  note_failure(state, kFirst, failure(), due, 0.5);
  EXPECT_EQ(at(due).directory, kSecond);
}

TEST_F(PlanTest, A9_success_forgets_failures) {
  note_failure(state, kFirst, failure(), kNow, 0.5);
  issue(kDay * 90);
  EXPECT_EQ(state.find(kFirst)->failures, 0U);
  EXPECT_FALSE(state.find(kFirst)->next_try.has_value());
}

TEST_F(PlanTest, a_persons_wish_waits_for_a_rate_limit_only) {
  issue(kDay * 90);
  EXPECT_EQ(at(kNow, true, true).cause, Cause::kAsked);
  note_failure(state, kFirst, failure(), kNow, 0.5);
  EXPECT_EQ(at(kNow, true, true).step, Step::kObtain);
  note_failure(state, kFirst, failure(FailureKind::kRateLimited, kDay), kNow, 0.5);
  EXPECT_EQ(at(kNow, true, true), (Plan{Step::kWait, kNow + kDay, kFirst, Cause::kAsked}));
}

TEST_F(PlanTest, a_clock_that_was_far_ahead_stops_nothing_for_good) {
  note_failure(state, kFirst, failure(), kNow + kDay * 4000, 0.5);
  state.ask_again = kNow + kDay * 4000;
  tame(state, kNow);
  EXPECT_LE(*state.find(kFirst)->next_try, kNow + kLongestRetryAfter);
  EXPECT_LE(*state.ask_again, kNow + kLongestAsk);
}

// Whatever is known, the plan is to act now or to wait for a moment to come.
RC_GTEST_PROP(PlanProperty, acts_now_or_waits_for_what_is_to_come, ()) {
  SavedState state;
  PlanSettings settings;
  settings.directories = {kFirst, kSecond};
  settings.names = {"a.example"};
  UnixTime now = kNow;
  for (int i = 0; i < 50; ++i) {
    const double unit = *rc::gen::inRange(0, 1000) / 1000.0;
    const Plan next = plan(state, settings, now, true);
    if (next.step == Step::kWait) {
      RC_ASSERT(next.at > now);
      now = next.at;
      continue;
    }
    RC_ASSERT(next.at == now);
    if (next.step == Step::kAskForRenewal) {
      const auto start = Duration::seconds(*rc::gen::inRange(-9'000'000, 9'000'000));
      note_renewal(state, RenewalWindow{now + start, now + start + kDay, ""},
                   ask_again_after(Duration::seconds(*rc::gen::inRange(0, 90'000))), now, unit);
    } else if (*rc::gen::inRange(0, 3) == 0) {
      SavedCertificate got =
          certificate(Duration::seconds(*rc::gen::inRange(3600, 8'000'000)), now);
      got.directory = next.directory;
      note_issued(state, got, unit);
      RC_ASSERT(got.not_after > state.certificate->renew_at);
      RC_ASSERT(state.certificate->renew_at > now);
    } else {
      note_failure(state, next.directory, failure(), now, unit);
    }
  }
}

}  // namespace
}  // namespace timepool::acme
