#include "nts/certificate_dates.h"

#include <gtest/gtest.h>

namespace timepool::nts {
namespace {

constexpr Duration kDay = Duration::seconds(86'400);
const UnixTime kNow = UnixTime::from_seconds(1'800'000'000);
const UnixTime kLongAgo = UnixTime::from_seconds(0);
const CertificateDates kGood{kNow - kDay * 30, kNow + kDay * 60};
const CertificateDates kStolen{kNow - kDay * 400, kNow - kDay * 310};

DateSettings settings(std::uint64_t updates, UnixTime earliest = kNow - kDay * 200) {
  return {updates, earliest};
}

TEST(CertificateDates, KEC9_a_clock_that_is_right_judges_both_dates) {
  const DateRule rule = date_rule(settings(0), 0, std::nullopt, kNow);
  EXPECT_EQ(rule, (DateRule{true, kNow, DatesJudged::kByOwnClock}));
  EXPECT_TRUE(kGood.satisfy(rule));
  EXPECT_FALSE(kStolen.satisfy(rule));
  EXPECT_FALSE((CertificateDates{kNow + kDay, kNow + kDay * 9}.satisfy(rule)));
}

TEST(CertificateDates, KEC9_a_machine_without_a_clock_refuses_all_unless_it_is_relaxed) {
  const DateSettings of_this_build = settings(0, kNow - kDay * 200);
  EXPECT_FALSE(kGood.satisfy(date_rule(of_this_build, 0, std::nullopt, kLongAgo)));
  EXPECT_TRUE(kGood.satisfy(date_rule(settings(1), 0, std::nullopt, kLongAgo)));
}

TEST(CertificateDates, KEC9_what_ended_before_the_last_good_time_is_refused_always) {
  const DateRule rule = date_rule(settings(1), 0, std::nullopt, kLongAgo);
  EXPECT_EQ(rule, (DateRule{false, kNow - kDay * 200, DatesJudged::kNot}));
  EXPECT_FALSE(kStolen.satisfy(rule));
  EXPECT_TRUE(kStolen.satisfy(date_rule(settings(1, kNow - kDay * 350), 0, std::nullopt, kNow)))
      << "and only what is known to have ended";
}

TEST(CertificateDates, KEC9_a_clock_that_is_behind_its_last_good_time_judges_by_that) {
  const DateRule rule = date_rule(settings(0), 0, std::nullopt, kNow - kDay * 350);
  EXPECT_EQ(rule.time, kNow - kDay * 200);
  EXPECT_FALSE(kStolen.satisfy(rule));
}

TEST(CertificateDates, KEC9_after_the_first_updates_the_agreed_time_judges) {
  EXPECT_EQ(date_rule(settings(2), 1, kNow, kLongAgo).judged, DatesJudged::kNot);
  const DateRule rule = date_rule(settings(2), 2, kNow, kLongAgo);
  EXPECT_EQ(rule, (DateRule{true, kNow, DatesJudged::kByAgreed}));
  EXPECT_TRUE(kGood.satisfy(rule));
}

TEST(CertificateDates, names_are_told) {
  EXPECT_EQ(name_of(DatesJudged::kNot), "not");
  EXPECT_EQ(name_of(DatesJudged::kByAgreed), "agreed");
}

}  // namespace
}  // namespace timepool::nts
