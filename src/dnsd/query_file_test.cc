#include "dnsd/query_file.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "dnsd/query_text.h"
#include "sys/file.h"
#include "sys/temporary_directory.h"

namespace timepool::dnsd {
namespace {

namespace fs = std::filesystem;

class QueryFileTest : public ::testing::Test {
 protected:
  QueryFileTest() {
    config_.file = directory_ + "/q";
    config_.max_megabytes = 1;
    config_.keep = 2;
  }

  std::string text_of(const std::string& name) const {
    auto text = sys::read_file(directory_ + "/" + name, 10'000'000);
    return text.ok() ? *text : "none";
  }
  QueryFile open() const { return std::move(QueryFile::open(config_).value()); }

  sys::TemporaryDirectory temporary_;
  const std::string& directory_ = temporary_.path();
  config::DnsdQueryLogConfig config_;
};

TEST_F(QueryFileTest, a_full_file_is_moved_away_and_so_many_are_kept) {
  QueryFile file = open();
  // Four fill a file, and no file is ever larger than its limit.
  for (char c = 'a'; c <= 'r'; ++c) {
    ASSERT_TRUE(file.append(std::string(250'000, c)).ok());
  }
  EXPECT_EQ(text_of("q").substr(0, 1), "q");
  EXPECT_EQ(text_of("q").size(), 500'000U);
  EXPECT_EQ(text_of("q.1").substr(0, 1), "m");
  EXPECT_EQ(text_of("q.1").size(), 1'000'000U);
  EXPECT_EQ(text_of("q.2").substr(0, 1), "i");
  EXPECT_FALSE(fs::exists(directory_ + "/q.3"));
}

TEST_F(QueryFileTest, what_a_file_has_already_counts) {
  ASSERT_TRUE(sys::write_file_atomic(config_.file, std::string(999'999, 'x')).ok());
  QueryFile file = open();
  ASSERT_TRUE(file.append("yy").ok());
  EXPECT_EQ(text_of("q"), "yy");
  EXPECT_EQ(text_of("q.1").size(), 999'999U);
}

TEST_F(QueryFileTest, each_file_of_dnstap_is_a_whole_stream) {
  config_.format = config::QueryLogFormat::kDnstap;
  {
    QueryFile file = open();
    ASSERT_TRUE(file.append(std::string(700'000, 'a')).ok());
    ASSERT_TRUE(file.append(std::string(700'000, 'b')).ok());
    file.finish();
  }
  EXPECT_EQ(text_of("q.1"), dnstap_start() + std::string(700'000, 'a') + dnstap_stop());
  EXPECT_EQ(text_of("q"), dnstap_start() + std::string(700'000, 'b') + dnstap_stop());
}

// As on reload: the next is opened before the one before has ended.
TEST_F(QueryFileTest, a_stream_begins_when_the_one_before_in_the_same_file_has_ended) {
  config_.format = config::QueryLogFormat::kDnstap;
  QueryFile before = open();
  ASSERT_TRUE(before.append("old").ok());
  QueryFile next = open();
  before.finish();
  ASSERT_TRUE(next.append("new").ok());
  next.finish();
  EXPECT_EQ(text_of("q"), dnstap_start() + "new" + dnstap_stop());
}

TEST_F(QueryFileTest, a_file_that_cannot_be_moved_away_takes_no_more_and_loses_nothing) {
  config_.keep = 1;
  fs::create_directories(directory_ + "/q.1");
  QueryFile file = open();
  ASSERT_TRUE(file.append(std::string(900'000, 'a')).ok());
  const auto refused = file.append(std::string(200'000, 'b'));
  ASSERT_FALSE(refused.ok());
  EXPECT_NE(refused.error().text().find("q.1"), std::string::npos);
  EXPECT_EQ(text_of("q").size(), 900'000U);
  fs::remove(directory_ + "/q.1");
  EXPECT_TRUE(file.append(std::string(200'000, 'c')).ok());
  EXPECT_EQ(text_of("q").size(), 200'000U);
}

TEST_F(QueryFileTest, a_device_has_no_limit) {
  config_.file = "/dev/null";
  QueryFile file = open();
  for (int i = 0; i < 5; ++i) EXPECT_TRUE(file.append(std::string(900'000, 'a')).ok());
}

}  // namespace
}  // namespace timepool::dnsd
