#include "ntp/outage.h"

#include <gtest/gtest.h>

namespace timepool::ntp {
namespace {

MonoTime at(std::int64_t seconds) {
  return MonoTime::from_ns(1) + Duration::seconds(seconds);
}
SilenceCount count(std::size_t asked, std::size_t unsent, std::size_t known, std::size_t speaking) {
  return {asked, unsent, known, speaking, static_cast<std::uint32_t>(4 * known), 0};
}

TEST(Outage, begins_when_all_who_ever_answered_are_silent) {
  Outage outage;
  EXPECT_FALSE(outage.observe(count(4, 0, 3, 1), at(1)));
  EXPECT_FALSE(outage.on());
  EXPECT_TRUE(outage.observe(count(4, 0, 3, 0), at(2)));
  EXPECT_TRUE(outage.on());
  EXPECT_FALSE(outage.observe(count(4, 0, 3, 0), at(3)));  // it is on already
  EXPECT_TRUE(outage.answered(at(4)));
  EXPECT_FALSE(outage.on());
  EXPECT_FALSE(outage.answered(at(5)));
}

TEST(Outage, one_server_alone_says_nothing_about_the_network) {
  Outage outage;
  EXPECT_FALSE(outage.observe(count(4, 0, 1, 0), at(1)));
  EXPECT_FALSE(outage.observe(count(1, 0, 0, 0), at(1)));
  EXPECT_FALSE(outage.observe(count(0, 0, 0, 0), at(1)));
}

TEST(Outage, needs_a_silence_of_twenty_seconds) {
  Outage outage;
  outage.answered(at(100));
  EXPECT_FALSE(outage.observe(count(4, 0, 4, 0), at(119)));
  EXPECT_TRUE(outage.observe(count(4, 0, 4, 0), at(120)));
}

TEST(Outage, F10_where_packets_get_lost_it_takes_more_misses) {
  Outage outage;
  SilenceCount silent = count(4, 0, 4, 0);
  silent.loss = 0.5;
  silent.misses = 19;
  EXPECT_FALSE(outage.observe(silent, at(1)));
  silent.misses = 20;
  EXPECT_TRUE(outage.observe(silent, at(2)));
}

TEST(Outage, begins_when_nothing_can_be_sent) {
  Outage outage;
  EXPECT_FALSE(outage.observe(count(2, 1, 0, 0), at(1)));
  EXPECT_TRUE(outage.observe(count(1, 1, 0, 0), at(2)));
  EXPECT_FALSE(outage.observe(count(2, 0, 0, 0), at(3)));
  EXPECT_TRUE(outage.on());
  EXPECT_TRUE(outage.sent());
  EXPECT_FALSE(outage.on());
}

TEST(Outage, a_server_is_dead_when_another_answers_after_it_fell_silent) {
  Outage outage;
  outage.answered(at(100));
  EXPECT_EQ(outage.judge(at(99), 3, at(200)), Silence::kDead);
  EXPECT_EQ(outage.judge(at(100), 3, at(200)), Silence::kWait);
  EXPECT_EQ(outage.judge(at(150), 3, at(200)), Silence::kWait);
}

TEST(Outage, without_others_nobody_can_tell) {
  Outage outage;
  EXPECT_EQ(outage.judge(at(100), 0, at(200)), Silence::kUnproven);
  EXPECT_TRUE(outage.observe(count(1, 1, 1, 0), at(100)));
  EXPECT_EQ(outage.judge(at(100), 0, at(200)), Silence::kWait);
}

TEST(Outage, silence_does_not_end_when_something_is_sent) {
  Outage outage;
  outage.observe(count(4, 0, 4, 0), at(100));
  EXPECT_FALSE(outage.sent());
  EXPECT_TRUE(outage.on());
}

TEST(Outage, after_an_hour_of_silence_in_which_names_are_found_it_is_the_servers) {
  Outage outage;
  outage.observe(count(4, 0, 4, 0), at(100));
  outage.resolved(at(99));
  EXPECT_EQ(outage.judge(at(100), 3, at(36000)), Silence::kWait);
  outage.resolved(at(101));
  EXPECT_EQ(outage.judge(at(100), 3, at(3699)), Silence::kWait);
  EXPECT_EQ(outage.judge(at(100), 3, at(3700)), Silence::kUnproven);
}

}  // namespace
}  // namespace timepool::ntp
