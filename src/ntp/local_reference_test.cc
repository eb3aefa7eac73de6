#include "ntp/local_reference.h"

#include <gtest/gtest.h>

namespace timepool::ntp {
namespace {

const UnixTime kStart = UnixTime::from_seconds(1'795'000'000);
const MonoTime kMono = MonoTime::from_ns(5);

LocalRules rules() {
  LocalRules out;
  out.reference_id = wire::ntp::ReferenceId::from_text("LOCL");
  return out;
}

// Kept since the start, with a root distance of `distance` then.
ServerState kept(Duration distance) {
  ServerState out;
  out.leap = wire::ntp::Leap::kNone;
  out.stratum = 3;
  out.root_delay = distance;
  out.root_dispersion = distance / 2;
  out.dispersion_ppb = 50'000;
  out.reference_time = kStart;
  out.made = kStart;
  return out;
}

class LocalReferenceTest : public ::testing::Test {
 protected:
  bool takes_over(const std::optional<ServerState>& state, std::int64_t seconds) {
    const Duration since = Duration::seconds(seconds);
    return local_.takes_over(state, kStart + since, kMono + since);
  }
  LocalReference local_{rules()};
};

TEST_F(LocalReferenceTest, takes_over_at_once_when_nobody_keeps_the_clock) {
  EXPECT_TRUE(takes_over({}, 0));
}

TEST_F(LocalReferenceTest, stays_aside_while_the_clock_is_kept_well) {
  EXPECT_FALSE(takes_over(kept(Duration::milliseconds(10)), 0));
  EXPECT_FALSE(takes_over(kept(Duration::milliseconds(10)), 19'000));
}

TEST_F(LocalReferenceTest, takes_over_when_the_root_distance_has_grown_past_the_limit) {
  // 50 parts in a million of 20,000 seconds are a second.
  EXPECT_FALSE(takes_over(kept(Duration::milliseconds(10)), 19'000));
  EXPECT_TRUE(takes_over(kept(Duration::milliseconds(10)), 20'000));
}

TEST_F(LocalReferenceTest, waits_for_as_long_as_it_is_told_to_when_nobody_keeps_the_clock) {
  LocalRules patient = rules();
  patient.wait_unsynced = Duration::seconds(300);
  local_.set_rules(patient);
  EXPECT_FALSE(takes_over({}, 0));
  EXPECT_FALSE(takes_over({}, 299));
  EXPECT_FALSE(takes_over(kept(Duration()), 300)) << "heard in the meantime";
  EXPECT_FALSE(takes_over({}, 301));
  EXPECT_FALSE(takes_over({}, 600));
  EXPECT_TRUE(takes_over({}, 601));
}

TEST_F(LocalReferenceTest, waits_after_the_last_update_when_it_is_told_to) {
  LocalRules by_time = rules();
  by_time.distance = Duration();
  by_time.wait_synced = Duration::seconds(7200);
  local_.set_rules(by_time);
  EXPECT_FALSE(takes_over(kept(Duration::milliseconds(10)), 7199));
  EXPECT_TRUE(takes_over(kept(Duration::milliseconds(10)), 7200));
}

TEST_F(LocalReferenceTest, a_clock_that_never_had_the_time_is_not_served_when_that_is_asked_for) {
  LocalRules careful = rules();
  careful.activate = Duration::milliseconds(100);
  local_.set_rules(careful);
  EXPECT_FALSE(takes_over({}, 0));
  EXPECT_FALSE(takes_over(kept(Duration::seconds(2)), 10)) << "far away is not good";
  EXPECT_FALSE(takes_over({}, 20));
  EXPECT_FALSE(takes_over(kept(Duration::milliseconds(50)), 30));
  EXPECT_TRUE(takes_over({}, 40)) << "it was good once";
}

TEST_F(LocalReferenceTest, says_what_the_operator_claims_and_no_more) {
  LocalRules claims = rules();
  claims.root_dispersion = Duration::milliseconds(30);
  local_.set_rules(claims);
  const ServerState state = local_.state(kStart);
  EXPECT_TRUE(state.vouches(kStart));
  EXPECT_EQ(state.stratum, 10);
  EXPECT_EQ(state.root_dispersion, Duration::milliseconds(30));
  EXPECT_EQ(state.reference_time, kStart);
  EXPECT_EQ(wire::ntp::text_of(state.reference_id), "LOCL");
}

}  // namespace
}  // namespace timepool::ntp
