#include "ntpd/leap_file.h"
#include "sys/temporary_directory.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>
#include <optional>

namespace timepool::ntpd {
namespace {

constexpr const char* kGood = "#$ 3960835200\n#@ 4086547200\n3692217600 37\n";
constexpr const char* kNext = "#$ 3960835201\n#@ 4086547200\n3692217600 37\n4007750400 38\n";

class LeapFileTest : public testing::Test {
 protected:
  void write(const std::string& text) const { std::ofstream(path_) << text; }

  sys::TemporaryDirectory temporary_;
  std::string path_ = temporary_.path() + "/leap";
  net::Reactor reactor_;
  sys::Logger logger_{"test", sys::LogLevel::kError, -1};
  std::optional<ntp::LeapTable> table_;
  int taken_ = 0;
  LeapFile file_{reactor_, logger_, path_, [this](const ntp::LeapTable& table) {
                   table_ = table;
                   ++taken_;
                 }};
};

TEST_F(LeapFileTest, gives_a_table_once_and_again_when_it_changes) {
  write(kGood);
  file_.read();
  file_.read();
  EXPECT_EQ(taken_, 1);
  write(kNext);
  file_.read();
  EXPECT_EQ(taken_, 2);
  ASSERT_TRUE(table_);
  EXPECT_EQ(table_->entries().size(), 2u);
}

TEST_F(LeapFileTest, a_bad_file_or_none_leaves_the_last_good_one_in_force) {
  file_.read();
  EXPECT_EQ(taken_, 0);
  write(kGood);
  file_.read();
  write("<html>not found</html>");
  file_.read();
  ::unlink(path_.c_str());
  file_.read();
  write(std::string(ntp::kMaxLeapFileSize + 1, '#'));
  file_.read();
  EXPECT_EQ(taken_, 1);
  write(kNext);
  file_.read();
  EXPECT_EQ(taken_, 2);
}

}  // namespace
}  // namespace timepool::ntpd
