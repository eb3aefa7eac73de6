#include "net/send_pace.h"

#include <gtest/gtest.h>

namespace timepool::net {
namespace {

constexpr UnixTime kStart = UnixTime::from_seconds(1'700'000'000);

Duration us(std::int64_t count) {
  return Duration::microseconds(count);
}

// 30 batches that take 1 us per reply to finish and 3 us to send.
SendPace learned() {
  SendPace pace;
  for (int i = 0; i < 60; ++i) pace.note(kStart, kStart + us(16), kStart + us(64), 16);
  return pace;
}

TEST(SendPace, knows_nothing_at_first_and_says_now) {
  const SendPace pace;
  EXPECT_EQ(pace.leaves(kStart, 0, 1), kStart);
  EXPECT_EQ(pace.leaves(kStart, 31, 32), kStart);
}

TEST(SendPace, a_reply_leaves_when_all_are_finished_and_those_ahead_are_sent) {
  const SendPace pace = learned();
  const Duration tolerance = us(1);
  EXPECT_LT((pace.leaves(kStart, 0, 32) - (kStart + us(32))).abs(), tolerance);
  EXPECT_LT((pace.leaves(kStart, 10, 32) - (kStart + us(62))).abs(), tolerance);
  for (std::size_t i = 1; i < 32; ++i) {
    EXPECT_GT(pace.leaves(kStart, i, 32), pace.leaves(kStart, i - 1, 32));
  }
}

TEST(SendPace, a_pause_or_a_step_of_the_clock_is_not_learned) {
  SendPace pace = learned();
  const UnixTime expected = pace.leaves(kStart, 31, 32);
  pace.note(kStart, kStart + us(40'000), kStart + us(80'000), 16);
  pace.note(kStart, kStart - us(500), kStart - us(1000), 16);
  EXPECT_EQ(pace.leaves(kStart, 31, 32), expected);
}

TEST(SendPace, what_left_is_known_between_the_two_ends_of_the_call) {
  const UnixTime end = kStart + us(80);
  EXPECT_EQ(SendPace::left(kStart, end, 0, 8), kStart + us(10));
  EXPECT_EQ(SendPace::left(kStart, end, 7, 8), end);
}

}  // namespace
}  // namespace timepool::net
