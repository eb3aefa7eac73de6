#include "ntp/smear_watch.h"

#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <vector>

#include "base/prng.h"

namespace timepool::ntp {
namespace {

const LeapSecond kLeap{UnixTime::from_seconds(1'798'761'600), 1};

const Smear& smear_named(std::string_view name) {
  for (const Smear& smear : known_smears()) {
    if (smear.name == name) return smear;
  }
  ADD_FAILURE() << name;
  return known_smears()[0];
}

// Sources asked every 64 s, with a jitter; the smeared ones follow `smear`.
class SmearWatchTest : public testing::Test {
 protected:
  void start(Duration since, const Smear& smear, std::vector<bool> smeared,
             LeapSecond leap = kLeap) {
    now_ = since;
    smear_ = &smear;
    smeared_ = std::move(smeared);
    leap_ = leap;
    watch_.set_leap(leap);
  }
  void poll() {
    std::vector<SmearWatch::Reading> readings;
    for (std::size_t i = 0; i < smeared_.size(); ++i) {
      const double lie = smeared_[i] ? smear_offset(*smear_, now_, leap_.seconds) : 0;
      const double noise = jitter_ * (uniform() + uniform() + uniform() - 1.5) * 2;
      const double asymmetry = 1e-3 * static_cast<double>(i);
      readings.push_back(
          {static_cast<AssociationId>(i + 1),
           Duration::from_seconds(12.5 + lie + noise + asymmetry + drift_[i] * polls_), true});
    }
    watch_.update(leap_.at + now_, readings);
    now_ += Duration::seconds(64);
    ++polls_;
  }
  void poll_for(Duration span) {
    for (const Duration end = now_ + span; now_ < end;) poll();
  }
  std::vector<bool> differing() const {
    std::vector<bool> out;
    for (std::size_t i = 0; i < smeared_.size(); ++i) {
      out.push_back(watch_.differs(static_cast<AssociationId>(i + 1)));
    }
    return out;
  }
  double uniform() { return static_cast<double>(prng_.next() >> 11) * 0x1p-53; }

  SmearWatch watch_;
  Prng prng_{7};
  Duration now_;
  const Smear* smear_ = nullptr;
  std::vector<bool> smeared_;
  LeapSecond leap_;
  double jitter_ = 5e-4;
  std::map<std::size_t, double> drift_;  // seconds per poll
  double polls_ = 0;
};

using Flags = std::vector<bool>;
constexpr Duration kHour = Duration::seconds(3600);

TEST(Smear, is_half_a_second_off_on_either_side_of_the_leap_in_the_middle) {
  const Smear& noon = smear_named("linear, noon to noon");
  EXPECT_DOUBLE_EQ(smear_offset(noon, -kHour * 12, 1), 0);
  EXPECT_NEAR(smear_offset(noon, -Duration::nanoseconds(1), 1), -0.5, 1e-9);
  EXPECT_NEAR(smear_offset(noon, Duration(), 1), 0.5, 1e-9);
  EXPECT_DOUBLE_EQ(smear_offset(noon, kHour * 12, 1), 0);
  EXPECT_NEAR(smear_offset(noon, -kHour * 6, -1), 0.25, 1e-9) << "a deleted second";
  const double slope =
      smear_offset(noon, -kHour * 6 + Duration::seconds(1), 1) - smear_offset(noon, -kHour * 6, 1);
  EXPECT_NEAR(slope, -11.574e-6, 1e-9);
}

TEST(Smear, a_cosine_begins_and_ends_gently) {
  const Smear& noon = smear_named("cosine, noon to noon");
  EXPECT_NEAR(smear_offset(noon, -kHour * 11, 1), -0.00428, 1e-4);
  EXPECT_NEAR(smear_offset(noon, Duration(), 1), 0.5, 1e-9);
}

TEST_F(SmearWatchTest, B17_a_smeared_minority_is_found_before_it_is_ten_milliseconds_off) {
  start(-kHour * 12, smear_named("linear, noon to noon"), {false, false, true, false});
  poll_for(Duration::seconds(860));
  EXPECT_EQ(differing(), Flags({false, false, true, false}));
  poll_for(kHour * 11);
  EXPECT_EQ(differing(), Flags({false, false, true, false})) << "and stays found";
}

TEST_F(SmearWatchTest, every_known_smear_is_found_within_an_hour_of_its_steepest) {
  for (const Smear& smear : known_smears()) {
    for (const int seconds : {1, -1}) {
      watch_.set_leap(std::nullopt);
      const Duration middle = smear.begin + smear.length / 2;
      const Duration from = std::max(smear.begin, middle - Duration::seconds(1800));
      start(from < Duration() && from > -kHour ? -kHour : from, smear, {true, false, false, false},
            {kLeap.at, seconds});
      poll_for(kHour);
      EXPECT_EQ(differing(), Flags({true, false, false, false})) << smear.name << " " << seconds;
    }
  }
}

// Not at once: until its time is steady for an hour it could be one that goes on for longer.
TEST_F(SmearWatchTest, a_verdict_ends_with_the_smear) {
  start(kHour * 10, smear_named("linear, noon to noon"), {true, false, false});
  poll_for(kHour);
  EXPECT_EQ(differing(), Flags({true, false, false}));
  poll_for(kHour * 2 + kHour / 3);
  EXPECT_EQ(differing(), Flags({false, false, false}));
}

TEST_F(SmearWatchTest, the_only_one_without_smear_is_found_too) {
  start(-kHour * 6, smear_named("linear, noon to noon"), {true, true, false, true, true});
  poll_for(kHour);
  EXPECT_EQ(differing(), Flags({false, false, true, false, false}));
}

TEST_F(SmearWatchTest, of_two_equal_parties_the_smeared_one_is_left_out) {
  start(-kHour * 6, smear_named("linear, noon to noon"), {true, true, false, false});
  poll_for(kHour);
  EXPECT_EQ(differing(), Flags({true, true, false, false}));
}

TEST_F(SmearWatchTest, of_two_sources_neither_is_known_to_be_right) {
  start(-kHour * 6, smear_named("linear, noon to noon"), {true, false});
  poll_for(kHour);
  EXPECT_EQ(differing(), Flags({false, false}));
}

TEST_F(SmearWatchTest, nobody_is_accused_without_a_leap_or_without_a_smear) {
  start(-kHour * 6, smear_named("linear, noon to noon"), {false, false, false, false});
  poll_for(kHour * 12);
  EXPECT_EQ(differing(), Flags({false, false, false, false}));
  smeared_ = {true, false, false, false};
  watch_.set_leap(std::nullopt);
  poll_for(kHour);
  EXPECT_EQ(differing(), Flags({false, false, false, false}));
}

TEST_F(SmearWatchTest, a_slope_that_no_smear_has_is_left_to_others) {
  start(-kHour * 6, smear_named("linear, noon to noon"), {false, false, false, false});
  drift_[1] = 64 * 4e-6;  // four parts in a million
  drift_[2] = -64 * 40e-6;
  poll_for(kHour);
  EXPECT_EQ(differing(), Flags({false, false, false, false}));
}

TEST_F(SmearWatchTest, a_noisy_smear_takes_longer_and_no_noise_becomes_one) {
  jitter_ = 10e-3;
  start(-kHour * 8, smear_named("linear, noon to noon"), {false, false, true, false});
  poll_for(kHour / 4);
  EXPECT_EQ(differing(), Flags({false, false, false, false}));
  poll_for(kHour * 2);
  EXPECT_EQ(differing(), Flags({false, false, true, false}));
}

TEST_F(SmearWatchTest, a_source_that_is_gone_is_forgotten) {
  start(-kHour * 6, smear_named("linear, noon to noon"), {false, false, false, true});
  poll_for(kHour);
  EXPECT_TRUE(watch_.differs(4));
  smeared_.pop_back();
  poll();
  EXPECT_FALSE(watch_.differs(4));
}

TEST_F(SmearWatchTest, another_leap_begins_anew) {
  start(-kHour * 6, smear_named("linear, noon to noon"), {false, false, false, true});
  poll_for(kHour);
  watch_.set_leap(LeapSecond{kLeap.at + kHour, 1});
  EXPECT_FALSE(watch_.differs(4));
}

}  // namespace
}  // namespace timepool::ntp
