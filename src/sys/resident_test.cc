#include "sys/resident.h"

#include <gtest/gtest.h>

#include <fstream>
#include <memory>
#include <string>
#include <vector>

namespace timepool::sys {
namespace {

long resident_kb(const std::string& kind) {
  std::ifstream status("/proc/self/status");
  std::string word;
  while (status >> word) {
    if (word != kind) continue;
    long kilobytes = 0;
    status >> kilobytes;
    return kilobytes;
  }
  return -1;
}

TEST(Resident, pages_that_only_the_start_needed_are_given_back) {
  const long before = resident_kb("RssFile:");
  ASSERT_GT(before, 0);
  release_startup_pages();
  EXPECT_LT(resident_kb("RssFile:"), before);
}

// The C library would take the first block for usual and keep the second, which lies below blocks
// that are still in use.
TEST(Resident, what_large_blocks_took_is_given_back_when_they_are_freed) {
  return_large_blocks();
  {
    const std::vector<char> first(16 << 20, 'x');
  }
  const long before = resident_kb("RssAnon:");
  std::vector<std::unique_ptr<std::vector<char>>> kept;
  {
    const std::vector<char> second(8 << 20, 'x');
    for (int i = 0; i < 100; ++i) kept.push_back(std::make_unique<std::vector<char>>(1000, 'x'));
  }
  EXPECT_LT(resident_kb("RssAnon:"), before + 1024);
}

}  // namespace
}  // namespace timepool::sys
