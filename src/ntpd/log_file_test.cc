#include "ntpd/log_file.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sys/file.h"
#include "sys/temporary_directory.h"

namespace timepool::ntpd {
namespace {

class LogFileTest : public ::testing::Test {
 protected:
  // The logger writes into [1], the test reads from [0].
  struct Pipe {
    sys::Fd read;
    sys::Fd write;
  };
  static Pipe made_pipe() {
    int fds[2];
    EXPECT_EQ(::pipe2(fds, O_NONBLOCK | O_CLOEXEC), 0);
    return {sys::Fd(fds[0]), sys::Fd(fds[1])};
  }
  std::string messages() {
    char buffer[4096];
    const ssize_t count = ::read(messages_.read.number(), buffer, sizeof buffer);
    return count > 0 ? std::string(buffer, static_cast<std::size_t>(count)) : "";
  }
  std::string content(const std::string& path) {
    const auto text = sys::read_file(path, 1 << 20);
    return text.ok() ? *text : "(" + text.error().text() + ")";
  }

  sys::TemporaryDirectory temporary_;
  std::string path_ = temporary_.path() + "/tracking.log";
  Pipe messages_ = made_pipe();
  sys::Logger logger_{"test", sys::LogLevel::kInfo, messages_.write.number()};
};

TEST_F(LogFileTest, is_made_with_the_first_line_and_begins_with_the_heading) {
  LogFile log(path_, "Date Offset", 0, logger_);
  struct stat info{};
  EXPECT_NE(::stat(path_.c_str(), &info), 0);
  log.append("a 1");
  log.append("b 2");
  EXPECT_TRUE(log.pending());
  log.flush();
  EXPECT_EQ(content(path_), "===========\nDate Offset\n===========\na 1\nb 2\n");
  EXPECT_EQ(log.written(), 2u);
}

TEST_F(LogFileTest, repeats_the_heading_after_so_many_lines) {
  LogFile log(path_, "H", 2, logger_);
  for (const char* line : {"1", "2", "3", "4", "5"}) log.append(line);
  log.flush();
  EXPECT_EQ(content(path_), "=\nH\n=\n1\n2\n=\nH\n=\n3\n4\n=\nH\n=\n5\n");
}

TEST_F(LogFileTest, goes_on_in_a_file_that_is_there) {
  {
    LogFile(path_, "H", 0, logger_).append("1");
  }
  {
    LogFile(path_, "H", 0, logger_).append("2");
  }
  EXPECT_EQ(content(path_), "=\nH\n=\n1\n2\n");
}

TEST_F(LogFileTest, begins_a_new_file_when_reopened_after_rotation) {
  LogFile log(path_, "H", 0, logger_);
  log.append("old");
  log.flush();
  ASSERT_EQ(::rename(path_.c_str(), (path_ + ".1").c_str()), 0);
  log.append("still old");
  log.reopen();
  log.append("new");
  log.flush();
  EXPECT_EQ(content(path_ + ".1"), "=\nH\n=\nold\nstill old\n");
  EXPECT_EQ(content(path_), "=\nH\n=\nnew\n");
}

TEST_F(LogFileTest, is_written_when_the_buffer_is_full) {
  LogFile log(path_, "H", 0, logger_);
  const std::string line(500, 'x');
  for (int i = 0; i < 9; ++i) log.append(line);
  EXPECT_EQ(content(path_).size(), 6 + 9 * 501u);
  EXPECT_FALSE(log.pending());
}

TEST_F(LogFileTest, what_cannot_be_written_is_counted_and_told_of_once) {
  ASSERT_EQ(::mkdir(path_.c_str(), 0755), 0);  // in the place of the file
  LogFile log(path_, "H", 0, logger_);
  for (int i = 0; i < 3; ++i) {
    log.append("lost");
    log.flush();
  }
  EXPECT_EQ(log.lost(), 3u);
  const std::string said = messages();
  EXPECT_NE(said.find("[log] directory: open " + path_), std::string::npos) << said;
  EXPECT_EQ(said.find("open", said.find("open") + 4), std::string::npos) << said;
  ASSERT_EQ(::rmdir(path_.c_str()), 0);
  log.append("kept");
  log.flush();
  EXPECT_EQ(content(path_), "=\nH\n=\nkept\n");
  EXPECT_EQ(log.written(), 1u);
  EXPECT_NE(messages().find("is written again; 3 lines are lost"), std::string::npos);
}

TEST_F(LogFileTest, a_full_disk_loses_lines_and_nothing_else) {
  LogFile log("/dev/full", "H", 0, logger_);
  log.append("1");
  log.append("2");
  log.flush();
  EXPECT_EQ(log.lost(), 2u);
  EXPECT_NE(messages().find("No space left on device"), std::string::npos);
  log.append("3");
  log.flush();
  EXPECT_EQ(log.lost(), 3u);
  EXPECT_EQ(messages(), "");
}

}  // namespace
}  // namespace timepool::ntpd
