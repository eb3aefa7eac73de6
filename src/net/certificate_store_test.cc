#include "net/certificate_store.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "net/tls_testing_files.h"

namespace timepool::net {
namespace {

using testing::CertificateFiles;
using testing::wish_for;

const UnixTime kNow = UnixTime::from_seconds(1'795'000'000);  // 2026-11-18

class CertificateStoreTest : public ::testing::Test {
 protected:
  std::string fault_at_start(const sys::CertificateFiles& files) {
    const Result<void> loaded = store_.load({files}, kNow);
    return loaded.ok() ? "" : loaded.error().detail;
  }
  static bool has(const std::string& text, std::string_view part) {
    return text.find(part) != std::string::npos;
  }

  CertificateFiles files_;
  sys::Logger logger_{"test", sys::LogLevel::kError};
  CertificateStore store_{logger_, "[tls] certificate"};
};

TEST_F(CertificateStoreTest, takes_files_that_are_as_they_should_be) {
  ASSERT_EQ(fault_at_start(files_.write("a", wish_for("a.example"))), "");
  ASSERT_NE(store_.context(), nullptr);
  ASSERT_EQ(store_.reports().size(), 1U);
  EXPECT_EQ(store_.reports()[0].info.dns_names, std::vector<std::string>{"a.example"});
  EXPECT_FALSE(store_.look(kNow));
}

TEST_F(CertificateStoreTest, a_start_without_a_good_certificate_says_why) {
  EXPECT_TRUE(has(fault_at_start(files_.names("none")), "No such file"));
  const auto a = files_.write("a", wish_for("a.example"));
  const auto b = files_.write("b", wish_for("b.example"));
  EXPECT_TRUE(has(fault_at_start({a.chain, b.key}), "the key is not that of the certificate"));
  EXPECT_TRUE(has(fault_at_start(files_.write("c", {})), "no names"));
  EXPECT_EQ(store_.context(), nullptr);
}

TEST_F(CertificateStoreTest, a_key_that_others_can_read_is_refused) {
  const auto a = files_.write("a", wish_for("a.example"));
  ASSERT_EQ(::chmod(a.key.c_str(), 0644), 0);
  EXPECT_TRUE(has(fault_at_start(a), "others may read"));
  ASSERT_EQ(::chmod(a.key.c_str(), 0640), 0);
  EXPECT_EQ(fault_at_start(a), "");
}

TEST_F(CertificateStoreTest, KES13_another_certificate_is_taken_while_it_runs) {
  const auto a = files_.write("a", wish_for("a.example"));
  ASSERT_EQ(fault_at_start(a), "");
  const auto before = store_.context();
  files_.write("a", wish_for("new.example"));
  EXPECT_TRUE(store_.look(kNow));
  EXPECT_NE(store_.context(), before);
  EXPECT_EQ(store_.reports()[0].info.dns_names, std::vector<std::string>{"new.example"});
  EXPECT_EQ(store_.changes(), 2U);
}

TEST_F(CertificateStoreTest, rubbish_never_replaces_a_good_one) {
  const auto a = files_.write("a", wish_for("a.example"));
  ASSERT_EQ(fault_at_start(a), "");
  const auto before = store_.context();
  CertificateFiles::write_text(a.chain, "rubbish");
  EXPECT_FALSE(store_.look(kNow));
  EXPECT_TRUE(has(store_.reports()[0].fault, "no certificate in PEM"));
  // A reload takes in all else.
  EXPECT_TRUE(store_.load({a}, kNow).ok());
  ASSERT_EQ(::unlink(a.chain.c_str()), 0);
  EXPECT_FALSE(store_.look(kNow));
  EXPECT_TRUE(has(store_.reports()[0].fault, "No such file"));
  EXPECT_EQ(store_.context(), before);
  // The old files again: nothing is wrong any more.
  files_.write("a", wish_for("a.example"));
  EXPECT_TRUE(store_.look(kNow));
  EXPECT_EQ(store_.reports()[0].fault, "");
}

TEST_F(CertificateStoreTest, an_expired_one_never_replaces_one_that_holds) {
  const auto a = files_.write("a", wish_for("a.example"));
  ASSERT_EQ(fault_at_start(a), "");
  auto old = wish_for("a.example");
  old.not_after = UnixTime::from_seconds(1'790'000'000);
  files_.write("a", old);
  EXPECT_FALSE(store_.look(kNow));
  EXPECT_TRUE(has(store_.reports()[0].fault, "it expired on 2026-09-21"));
  auto later = wish_for("a.example");
  later.not_before = UnixTime::from_seconds(1'800'000'000);
  files_.write("a", later);
  EXPECT_FALSE(store_.look(kNow));
  EXPECT_TRUE(has(store_.reports()[0].fault, "it is not valid before 2027"));
  // When its time comes it is taken.
  EXPECT_TRUE(store_.look(UnixTime::from_seconds(1'800'000'001)));
}

TEST_F(CertificateStoreTest, an_expired_one_is_better_than_none_while_the_clock_may_be_wrong) {
  auto old = wish_for("a.example");
  old.not_after = UnixTime::from_seconds(1'790'000'000);
  EXPECT_EQ(fault_at_start(files_.write("a", old)), "");
  EXPECT_NE(store_.context(), nullptr);
}

TEST_F(CertificateStoreTest, a_reload_with_a_bad_further_certificate_changes_nothing) {
  const auto a = files_.write("a", wish_for("a.example"));
  ASSERT_EQ(fault_at_start(a), "");
  const auto before = store_.context();
  EXPECT_FALSE(store_.load({a, files_.names("none")}, kNow).ok());
  EXPECT_EQ(store_.context(), before);
  EXPECT_EQ(store_.reports().size(), 1U);
  ASSERT_TRUE(store_.load({files_.write("b", wish_for("b.example")), a}, kNow).ok());
  EXPECT_EQ(store_.context()->chosen("a.example"), 1U);
}

TEST_F(CertificateStoreTest, keys_of_tickets_are_replaced_at_the_end_of_their_life) {
  TlsServerOptions options;
  options.tickets = 1;
  CertificateStore store(logger_, "[tls] certificate", options);
  ASSERT_TRUE(store.load({files_.write("a", wish_for("a.example"))}, kNow).ok());
  const auto before = store.context();
  EXPECT_FALSE(store.look(kNow + options.ticket_life - Duration::seconds(1)));
  EXPECT_EQ(store.context(), before);
  EXPECT_TRUE(store.look(kNow + options.ticket_life));
  EXPECT_NE(store.context(), before);
  EXPECT_EQ(store.changes(), 1U);
}

}  // namespace
}  // namespace timepool::net
