#include "dnsd/file_watch.h"

#include <gtest/gtest.h>

#include <atomic>

namespace timepool::dnsd {
namespace {

TEST(FileWatch, looks_again_and_again_until_it_is_stopped_and_may_begin_anew) {
  std::atomic<int> looks{0};
  FileWatch watch;
  for (int i = 0; i < 2; ++i) {
    looks = 0;
    watch.start(std::chrono::milliseconds(1), [&] { ++looks; });
    while (looks < 3) std::this_thread::yield();
    watch.stop();
    const int seen = looks;
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    EXPECT_EQ(looks, seen);
  }
}

}  // namespace
}  // namespace timepool::dnsd
