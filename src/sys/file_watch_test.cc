#include "sys/file_watch.h"

#include <gtest/gtest.h>
#include <poll.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "sys/file.h"
#include "sys/temporary_directory.h"

namespace timepool::sys {
namespace {

class FileWatchTest : public testing::Test {
 protected:
  void SetUp() override {
    auto made = FileWatch::create();
    ASSERT_TRUE(made.ok()) << made.error().text();
    watch_.emplace(std::move(made).value());
    ASSERT_TRUE(watch_->add(directory_).ok());
  }

  bool told() {
    pollfd waiting{watch_->fd(), POLLIN, 0};
    return ::poll(&waiting, 1, 2000) == 1 && watch_->take();
  }

  TemporaryDirectory temporary_;
  std::string directory_ = temporary_.path();
  std::optional<FileWatch> watch_;
};

TEST_F(FileWatchTest, tells_of_files_that_are_written_replaced_and_removed) {
  EXPECT_FALSE(watch_->take());
  std::ofstream(directory_ + "/a") << "one";
  EXPECT_TRUE(told());
  ASSERT_TRUE(write_file_atomic(directory_ + "/a", "two").ok());
  EXPECT_TRUE(told());
  std::filesystem::remove(directory_ + "/a");
  EXPECT_TRUE(told());
  EXPECT_FALSE(watch_->take());
}

TEST_F(FileWatchTest, tells_of_a_link_that_leads_elsewhere_now) {
  std::ofstream(directory_ + "/a") << "one";
  std::filesystem::create_symlink(directory_ + "/a", directory_ + "/link");
  EXPECT_TRUE(told());
  std::filesystem::create_symlink(directory_ + "/b", directory_ + "/next");
  std::filesystem::rename(directory_ + "/next", directory_ + "/link");
  EXPECT_TRUE(told());
}

TEST_F(FileWatchTest, a_directory_that_is_not_there_is_an_error_and_twice_the_same_is_none) {
  EXPECT_FALSE(watch_->add(directory_ + "/none").ok());
  EXPECT_TRUE(watch_->add(directory_).ok());
}

}  // namespace
}  // namespace timepool::sys
