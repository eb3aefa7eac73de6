#include "ntp/recovery.h"

#include <gtest/gtest.h>

namespace timepool::ntp {
namespace {

RecoveryView healthy() {
  RecoveryView out;
  out.cookies = 8;
  return out;
}
RecoveryView silent(std::uint32_t misses, Silence silence = Silence::kDead) {
  RecoveryView out = healthy();
  out.misses = misses;
  out.silence = silence;
  return out;
}

TEST(Recovery, a_server_that_answers_is_left_alone) {
  EXPECT_EQ(next_step(healthy()), RecoveryStep::kNone);
}

TEST(Recovery, the_first_misses_are_probed_while_others_answer_or_there_are_none) {
  for (std::uint32_t misses = 1; misses <= kRecoveryProbes; ++misses) {
    EXPECT_EQ(next_step(silent(misses)), RecoveryStep::kProbe);
    EXPECT_EQ(next_step(silent(misses, Silence::kUnproven)), RecoveryStep::kProbe);
  }
}

TEST(Recovery, T3_nothing_is_spent_while_it_may_be_the_network) {
  for (std::uint32_t misses = 1; misses < 20; ++misses) {
    EXPECT_EQ(next_step(silent(misses, Silence::kWait)), RecoveryStep::kNone);
    RecoveryView view = silent(misses);
    view.outage = true;
    EXPECT_EQ(next_step(view), RecoveryStep::kNone);
  }
}

TEST(Recovery, T3_the_last_cookie_waits_for_a_look_up) {
  RecoveryView view = silent(8, Silence::kWait);
  view.cookies = 1;
  EXPECT_EQ(next_step(view), RecoveryStep::kLookUp);
  view.looked_up = true;
  EXPECT_EQ(next_step(view), RecoveryStep::kNone) << "the next poll spends it";
  view.looked_up = false;
  view.literal = true;
  EXPECT_EQ(next_step(view), RecoveryStep::kNone);
}

TEST(Recovery, after_the_probes_the_name_is_looked_up) {
  EXPECT_EQ(next_step(silent(4)), RecoveryStep::kLookUp);
  EXPECT_EQ(next_step(silent(4, Silence::kUnproven)), RecoveryStep::kLookUp);
}

TEST(Recovery, another_address_is_tried_beside_the_old_one) {
  RecoveryView view = silent(4);
  view.looked_up = view.has_other = true;
  EXPECT_EQ(next_step(view), RecoveryStep::kEstablishElsewhere);
}

TEST(Recovery, the_same_address_gives_new_keys_when_there_is_no_other) {
  RecoveryView view = silent(4);
  view.looked_up = true;
  EXPECT_EQ(next_step(view), RecoveryStep::kEstablishHere);
  view.fresh_keys = true;
  EXPECT_EQ(next_step(view), RecoveryStep::kNone) << "it has given some, and is silent still";
}

TEST(Recovery, the_one_whose_turn_it_is_by_the_retry_rule) {
  RecoveryView view = silent(6);
  view.looked_up = view.has_other = true;
  view.other_first = false;
  EXPECT_EQ(next_step(view), RecoveryStep::kEstablishHere);
  view.fresh_keys = true;
  EXPECT_EQ(next_step(view), RecoveryStep::kEstablishElsewhere);
}

TEST(Recovery, a_dead_resolver_does_not_stop_it_while_others_answer) {
  RecoveryView view = silent(4);
  view.look_up_failed = true;
  EXPECT_EQ(next_step(view), RecoveryStep::kEstablishHere);
  view.silence = Silence::kUnproven;
  EXPECT_EQ(next_step(view), RecoveryStep::kLookUp) << "alone, nothing tells that it is not us";
}

TEST(Recovery, T4_one_nak_makes_no_key_establishment) {
  RecoveryView view = healthy();
  view.naks = 1;
  EXPECT_EQ(next_step(view), RecoveryStep::kSpaced);
  view.misses = 1;
  EXPECT_EQ(next_step(view), RecoveryStep::kSpaced);
}

TEST(Recovery, NC8_two_naks_in_a_row_do) {
  RecoveryView view = silent(2, Silence::kWait);
  view.naks = kNaksToRenew;
  EXPECT_EQ(next_step(view), RecoveryStep::kEstablishHere);
}

TEST(Recovery, NC5_an_empty_jar_does) {
  RecoveryView view = healthy();
  view.cookies = 0;
  EXPECT_EQ(next_step(view), RecoveryStep::kEstablishHere);
  view = silent(8, Silence::kWait);
  view.cookies = 0;
  EXPECT_EQ(next_step(view), RecoveryStep::kLookUp) << "but not into a dead network";
  view.looked_up = true;
  EXPECT_EQ(next_step(view), RecoveryStep::kEstablishHere);
  view.looked_up = false;
  view.literal = true;
  EXPECT_EQ(next_step(view), RecoveryStep::kEstablishHere) << "a literal has nothing else to try";
}

TEST(Recovery, LC5_an_address_that_look_ups_lack_is_left_though_it_answers) {
  RecoveryView view = healthy();
  view.unlisted = view.has_other = true;
  EXPECT_EQ(next_step(view), RecoveryStep::kEstablishElsewhere);
  view.outage = true;
  EXPECT_EQ(next_step(view), RecoveryStep::kNone);
}

TEST(Recovery, keys_are_renewed_in_time_while_the_server_answers) {
  RecoveryView view = healthy();
  view.old_keys = true;
  EXPECT_EQ(next_step(view), RecoveryStep::kEstablishHere);
  view.misses = 1;
  view.silence = Silence::kDead;
  EXPECT_EQ(next_step(view), RecoveryStep::kProbe);
}

TEST(Recovery, a_move_at_poll_10_is_noticed_within_twenty_minutes) {
  double longest = 1024 * 17.0 / 16 + 2;
  double mean = 512 + 2;
  for (std::uint32_t misses = 1; misses <= kRecoveryProbes; ++misses) {
    longest += recovery_probe_after(misses).to_seconds() * 1.25 + 2;
    mean += recovery_probe_after(misses).to_seconds() + 2;
  }
  EXPECT_LT(longest, 20 * 60);
  EXPECT_LT(mean, 11 * 60);
}

}  // namespace
}  // namespace timepool::ntp
