#include "dnsd/account_reporter.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <mutex>
#include <thread>

#include "sys/file.h"
#include "sys/temporary_directory.h"

namespace timepool::dnsd {
namespace {

constexpr const char* kBody =
    R"({"counts":[{"zone":"pool.test.","address":"192.0.2.1","count":1}]})";

// Nobody takes the counts: what is spooled stays.
class AccountReporterTest : public ::testing::Test {
 protected:
  std::unique_ptr<AccountReporter> open() {
    ReporterOptions options;
    options.urls = {"http://127.0.0.1:1"};
    options.token_file = root_.path() + "/there-is-none";
    options.spool_file = spool_;
    options.interval = Duration::milliseconds(10);
    options.tell = [this](bool fault, const std::string& text) {
      const std::lock_guard lock(mutex_);
      if (fault) told_.push_back(text);
    };
    auto made = AccountReporter::create(std::move(options), accounting_);
    EXPECT_TRUE(made.ok()) << made.error().text();
    return std::move(made).value();
  }
  static std::string lines(const std::vector<std::string>& keys) {
    std::string out;
    for (const std::string& key : keys) out += key + " " + kBody + "\n";
    return out;
  }
  void write(const std::string& path, const std::string& text) const {
    ASSERT_TRUE(sys::write_file_atomic(path, text).ok());
  }
  static std::string read(const std::string& path) {
    return sys::read_file(path, 1 << 20).value_or("there is none");
  }
  int told_of(const std::string& part) {
    const std::lock_guard lock(mutex_);
    return static_cast<int>(std::ranges::count_if(
        told_, [&](const std::string& it) { return it.find(part) != std::string::npos; }));
  }

  sys::TemporaryDirectory root_;
  const std::string spool_ = root_.path() + "/handed-out";
  const std::string left_ = spool_ + AccountReporter::kLeftSuffix;
  Accounting accounting_{1};
  std::mutex mutex_;
  std::vector<std::string> told_;
};

TEST_F(AccountReporterTest, what_is_no_spool_is_set_aside_and_stops_no_start) {
  write(spool_, lines({"a"}) + "rubbish");
  open().reset();
  EXPECT_EQ(told_of("line 2 is not of a spool; it is set aside"), 1);
  EXPECT_EQ(read(spool_ + ".bad"), lines({"a"}) + "rubbish");
  EXPECT_FALSE(std::filesystem::exists(spool_)) << "not a part of it";
}

TEST_F(AccountReporterTest, what_another_process_left_is_taken_in_once) {
  write(spool_, lines({"a", "b"}));
  write(left_, lines({"b", "c"}));
  auto reporter = open();
  reporter->start();
  while (std::filesystem::exists(left_) || std::filesystem::exists(left_ + "-taken")) {
    std::this_thread::yield();
  }
  reporter.reset();
  EXPECT_EQ(read(spool_), lines({"a", "b", "c"}));
}

TEST_F(AccountReporterTest, rubbish_that_was_left_is_told_once) {
  write(left_, "rubbish");
  auto reporter = open();
  reporter->start();
  while (!std::filesystem::exists(left_ + "-taken.bad")) std::this_thread::yield();
  // What is left next is taken in.
  write(left_, lines({"d"}));
  while (std::filesystem::exists(left_) || std::filesystem::exists(left_ + "-taken")) {
    std::this_thread::yield();
  }
  reporter.reset();
  EXPECT_EQ(told_of("set aside"), 1);
  EXPECT_EQ(read(spool_), lines({"d"}));
}

TEST_F(AccountReporterTest, what_was_left_stays_until_it_is_on_disk_elsewhere) {
  write(left_, lines({"a"}));
  auto reporter = open();
  // A directory in its place: it can't be written.
  std::filesystem::create_directory(spool_);
  write(spool_ + "/file", "");
  reporter->start();
  while (told_of("rename to " + spool_) == 0) std::this_thread::yield();
  EXPECT_TRUE(std::filesystem::exists(left_ + "-taken"));
  std::filesystem::remove_all(spool_);
  while (std::filesystem::exists(left_ + "-taken")) std::this_thread::yield();
  EXPECT_EQ(read(spool_), lines({"a"}));
}

}  // namespace
}  // namespace timepool::dnsd
