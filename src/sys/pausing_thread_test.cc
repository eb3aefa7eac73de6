#include "sys/pausing_thread.h"

#include <gtest/gtest.h>

#include <atomic>
#include <semaphore>

#include "sys/clock.h"

namespace timepool::sys {
namespace {

TEST(PausingThread, steps_follow_each_other_after_the_pauses_that_they_name) {
  std::atomic<int> steps{0};
  std::binary_semaphore third{0};
  const MonoTime begin = mono_now();
  PausingThread thread;
  thread.start(Duration::milliseconds(20), [&] {
    if (++steps == 3) third.release();
    return Duration::milliseconds(steps < 3 ? 30 : 3'600'000);
  });
  third.acquire();
  EXPECT_GE(mono_now() - begin, Duration::milliseconds(80));
  thread.stop();
  EXPECT_EQ(steps, 3);
}

TEST(PausingThread, a_pause_ends_at_once_and_it_may_be_started_again) {
  PausingThread thread;
  std::atomic<int> steps{0};
  const MonoTime begin = mono_now();
  const auto step = [&] {
    ++steps;
    return Duration::seconds(3600);
  };
  thread.start(Duration::seconds(3600), step);
  thread.stop();
  EXPECT_EQ(steps, 0);
  std::binary_semaphore done{0};
  thread.start(Duration(), [&] {
    done.release();
    return step();
  });
  done.acquire();
  thread.stop();
  EXPECT_EQ(steps, 1);
  EXPECT_LT(mono_now() - begin, Duration::seconds(60));
}

TEST(PausingThread, a_second_start_changes_nothing) {
  PausingThread thread;
  std::atomic<bool> second{false};
  thread.start(Duration::seconds(3600), [] { return Duration(); });
  thread.start(Duration(), [&] {
    second = true;
    return Duration::seconds(3600);
  });
  thread.stop();
  EXPECT_FALSE(second);
}

}  // namespace
}  // namespace timepool::sys
