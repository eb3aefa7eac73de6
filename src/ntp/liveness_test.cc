#include "ntp/liveness.h"

#include <gtest/gtest.h>

#include "base/prng.h"

namespace timepool::ntp {
namespace {

MonoTime at(std::int64_t seconds) {
  return MonoTime::from_ns(1) + Duration::seconds(seconds);
}

TEST(Liveness, F7_counts_misses_in_a_row_and_every_answer_starts_anew) {
  Liveness live;
  EXPECT_FALSE(live.silent_since());
  live.observe(1, at(10));
  live.observe(2, at(20));
  live.observe(2, at(25));
  EXPECT_EQ(live.misses(), 2u);
  EXPECT_EQ(live.silent_since(), at(10));
  live.answered(0);
  EXPECT_EQ(live.misses(), 0u);
  EXPECT_FALSE(live.silent_since());
  live.observe(1, at(40));
  EXPECT_EQ(live.silent_since(), at(40));
}

TEST(Liveness, misses_before_a_pardon_do_not_count) {
  Liveness live;
  live.observe(9, at(10));
  live.forgive();
  EXPECT_EQ(live.misses(), 0u);
  EXPECT_FALSE(live.silent_since());
  live.observe(10, at(20));
  EXPECT_EQ(live.misses(), 1u);
  EXPECT_EQ(live.silent_since(), at(20));
  live.answered(0);
  live.observe(3, at(40));
  EXPECT_EQ(live.misses(), 3u);
}

TEST(Liveness, F10_learns_what_share_of_the_packets_is_lost) {
  Prng prng(3);
  for (const double loss : {0.0, 0.05, 0.33, 0.55}) {
    Liveness live;
    std::uint32_t unanswered = 0;
    double sum = 0;
    int answers = 0;
    for (int i = 0; i < 2000; ++i) {
      const bool lost = prng.unit() < loss;
      unanswered = lost ? unanswered + 1 : 0;
      if (lost) {
        live.observe(unanswered, at(i));
      } else {
        live.answered(0);
      }
      if (i < 1000 || unanswered > 0) continue;
      sum += live.losses().share();
      ++answers;
    }
    EXPECT_NEAR(sum / answers, loss, 0.06) << loss;
  }
}

TEST(Liveness, F10_servers_asked_a_little_each_say_together_how_lossy_the_path_is) {
  LossCount together{0, 0, 0};
  for (int server = 0; server < 6; ++server) {
    Liveness live;
    for (std::uint32_t i = 0; i < 5; ++i) {
      live.observe(1, at(i));
      live.answered(0);
    }
    EXPECT_NEAR(live.losses().share(), 5.0 / 18, 1e-9);  // much is presumed still
    together.add(live.losses());
  }
  EXPECT_NEAR(together.share(), 30.0 / 68, 1e-9);
  EXPECT_EQ(misses_needed(8, together.share()), 17u);
}

TEST(Liveness, F10_what_was_missed_before_another_answered_says_nothing_of_the_network) {
  Liveness live;
  live.observe(3, at(10));
  EXPECT_EQ(live.misses_unheard(), 3u);
  live.heard_another();
  EXPECT_EQ(live.misses_unheard(), 0u);
  EXPECT_EQ(live.misses(), 3u);
  live.observe(5, at(20));
  EXPECT_EQ(live.misses_unheard(), 2u);
  live.answered(0);
  live.observe(1, at(30));
  EXPECT_EQ(live.misses_unheard(), 1u);
  live.forgive();
  EXPECT_EQ(live.misses_unheard(), 0u);
}

TEST(Liveness, F6_F10_a_clean_path_has_the_configured_limit_and_a_lossy_one_more) {
  EXPECT_EQ(misses_needed(8, 0), 8u);
  EXPECT_EQ(misses_needed(8, 0.1), 8u);
  EXPECT_EQ(misses_needed(8, 1.0 / 3), 13u);
  EXPECT_EQ(misses_needed(8, 5.0 / 9), 24u);
  EXPECT_EQ(misses_needed(8, 0.99), 32u);
  EXPECT_EQ(misses_needed(8, 1), 32u);
  EXPECT_EQ(misses_needed(0, 0.5), 0u);
  EXPECT_EQ(misses_needed(1, 0.5), 4u);
}

TEST(Liveness, an_answer_that_the_association_has_no_use_for_is_a_sign_of_life) {
  Liveness live;
  live.observe(3, at(10));
  live.answered(3);
  EXPECT_EQ(live.misses(), 0u);
  live.observe(4, at(20));
  EXPECT_EQ(live.misses(), 1u);
}

TEST(Liveness, one_long_silence_does_not_make_a_path_lossy_for_ever) {
  Liveness live;
  live.observe(1000, at(1));
  live.answered(0);
  EXPECT_LE(misses_needed(8, live.losses().share()), 20u);
  for (int i = 0; i < 60; ++i) live.answered(0);
  EXPECT_EQ(misses_needed(8, live.losses().share()), 8u);
}

}  // namespace
}  // namespace timepool::ntp
