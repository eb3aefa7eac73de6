#include "monitord/trust_store.h"

#include <gtest/gtest.h>

#include "net/tls_testing_files.h"

namespace timepool::monitord {
namespace {

class TrustStoreTest : public ::testing::Test {
 protected:
  void write(const std::string& text) const { files_.write_text(path(), text); }
  std::string path() const { return files_.names("roots").chain; }

  net::testing::CertificateFiles files_;
  sys::Logger log_{"test", sys::LogLevel::kError};
  MonoTime now_ = MonoTime() + Duration::seconds(1'000'000);
};

TEST_F(TrustStoreTest, a_file_is_read_once_and_again_an_hour_later) {
  write(files_.authority().certificate_pem());
  TrustStore store({{"test", path()}}, log_);
  const auto first = store.context("test", now_);
  ASSERT_TRUE(first.ok()) << first.error().text();
  EXPECT_EQ(*store.context("test", now_ + TrustStore::kRefresh - Duration::seconds(1)), *first);
  EXPECT_NE(*store.context("test", now_ + TrustStore::kRefresh), *first);
}

TEST_F(TrustStoreTest, roots_that_were_read_stay_while_the_file_is_no_good) {
  write(files_.authority().certificate_pem());
  TrustStore store({{"test", path()}}, log_);
  const auto first = store.context("test", now_);
  ASSERT_TRUE(first.ok());
  write("nothing");
  EXPECT_EQ(*store.context("test", now_ + TrustStore::kRefresh), *first);
}

TEST_F(TrustStoreTest, without_a_good_file_there_are_none) {
  write("nothing");
  TrustStore store({{"test", path()}, {"system", path()}}, log_);
  EXPECT_FALSE(store.context("test", now_).ok());
  EXPECT_FALSE(store.context("system", now_).ok()) << "a file takes the place of the system's";
  const auto unknown = store.context("other", now_);
  ASSERT_FALSE(unknown.ok());
  EXPECT_EQ(unknown.error().code, ErrorCode::kNotFound);
}

}  // namespace
}  // namespace timepool::monitord
