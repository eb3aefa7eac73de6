#include "sys/resident.h"

#include <gtest/gtest.h>

#include <fstream>
#include <string>

namespace timepool::sys {
namespace {

long resident_file_kb() {
  std::ifstream status("/proc/self/status");
  std::string word;
  while (status >> word) {
    if (word != "RssFile:") continue;
    long kilobytes = 0;
    status >> kilobytes;
    return kilobytes;
  }
  return -1;
}

TEST(Resident, pages_that_only_the_start_needed_are_given_back) {
  const long before = resident_file_kb();
  ASSERT_GT(before, 0);
  release_startup_pages();
  EXPECT_LT(resident_file_kb(), before);
}

}  // namespace
}  // namespace timepool::sys
