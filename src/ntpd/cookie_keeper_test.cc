#include "ntpd/cookie_keeper.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>

#include "base/hex.h"
#include "sys/file.h"
#include "sys/temporary_directory.h"

namespace timepool::ntpd {
namespace {

constexpr Duration kDay = Duration::seconds(86'400);
const UnixTime kNow = parse_utc("2026-11-21T12:00:00Z").value();

class CookieKeeperTest : public testing::Test {
 protected:
  CookieKeeperTest() { logger_.set_level(sys::LogLevel::kError); }

  std::string path() const { return directory_ + "/" + CookieKeeper::kFile; }
  std::string text() const { return sys::read_file(path(), 10'000).value_or(""); }
  void write(std::string_view bytes, mode_t mode = 0600) {
    ASSERT_TRUE(sys::write_file_atomic(path(), bytes, mode).ok());
  }
  // A daemon of its own, with this test's clock.
  struct Daemon {
    explicit Daemon(CookieKeeperTest& test)
        : keeper(
              test.reactor_, test.logger_, [&test] { return test.clock_; },
              [this](std::shared_ptr<const nts::CookieKeys> keys) {
                told = std::move(keys);
                ++changes;
              }) {}
    nts::CookieKey current() const { return told->keys[nts::CookieKeys::kCurrent]; }
    std::shared_ptr<const nts::CookieKeys> told;
    int changes = 0;
    CookieKeeper keeper;
  };
  Result<void> start(Daemon& daemon) { return daemon.keeper.configure(config_, directory_); }
  void pass(Daemon& daemon, Duration time) {
    clock_.now = clock_.now + time;
    daemon.keeper.look();
  }

  sys::TemporaryDirectory temporary_;
  const std::string& directory_ = temporary_.path();
  sys::Logger logger_{"test"};
  net::Reactor reactor_;
  CookieKeeper::Clock clock_{true, kNow};
  config::NtsCookiesConfig config_;
};

TEST_F(CookieKeeperTest, the_keys_are_those_of_hkdf_with_sha256) {
  // Made by hmac and hashlib of Python from 32 octets of 1.
  write("timepool-nts-cookies 1\nrotation 86400\nepoch 20778\nsecret " +
        std::string("0101010101010101010101010101010101010101010101010101010101010101") +
        "\nend\n");
  Daemon daemon(*this);
  ASSERT_TRUE(start(daemon).ok());
  EXPECT_EQ(daemon.current().id, 0x081f823aU);
  EXPECT_EQ(to_hex(daemon.current().secret),
            "ab33812bcad9486f1b27df3303069a68c279204accd54d95b131360c0a50ec14");
  EXPECT_EQ(daemon.told->keys[nts::CookieKeys::kNext].id, 0x2e4ec8c6U);
  EXPECT_EQ(to_hex(daemon.told->keys[nts::CookieKeys::kNext].secret),
            "a591e0cd834b46700d0edaedf0085b49d1a36b05a6c1e53790c36c0918e7c095");
}

TEST_F(CookieKeeperTest, keys_survive_a_restart_and_nobody_else_can_read_them) {
  Daemon first(*this);
  ASSERT_TRUE(start(first).ok());
  struct stat info{};
  ASSERT_EQ(::stat(path().c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0600U);
  pass(first, kDay);
  pass(first, kDay);
  Daemon second(*this);
  ASSERT_TRUE(start(second).ok());
  EXPECT_EQ(second.current(), first.current());
  EXPECT_EQ(second.told->keys.size(), 4U);
  EXPECT_TRUE(
      std::equal(first.told->keys.begin(), first.told->keys.end(), second.told->keys.begin()));
}

TEST_F(CookieKeeperTest, they_rotate_once_an_epoch_and_the_file_with_them) {
  Daemon daemon(*this);
  ASSERT_TRUE(start(daemon).ok());
  const std::string before = text();
  EXPECT_EQ(daemon.changes, 1);
  pass(daemon, Duration::seconds(60));
  EXPECT_EQ(daemon.changes, 1);
  const nts::CookieKey old = daemon.current();
  pass(daemon, kDay);
  EXPECT_EQ(daemon.changes, 2);
  EXPECT_NE(daemon.current(), old);
  EXPECT_EQ(daemon.told->find(old.id), 2U);
  EXPECT_NE(text(), before);
  EXPECT_EQ(daemon.keeper.report()->rotations, 1U);
}

TEST_F(CookieKeeperTest, two_nodes_with_copies_of_one_file_agree_days_later) {
  Daemon first(*this);
  ASSERT_TRUE(start(first).ok());
  const std::string seed = text();
  const std::string other = directory_ + "/other";
  std::filesystem::create_directories(other);
  ASSERT_TRUE(sys::write_file_atomic(other + "/" + CookieKeeper::kFile, seed, 0600).ok());
  pass(first, Duration::seconds(86'400 * 5));
  config_.shared = true;
  Daemon second(*this);
  ASSERT_TRUE(second.keeper.configure(config_, other).ok());
  EXPECT_EQ(second.current(), first.current());
  // The seed is gone from both files.
  EXPECT_EQ(text().find(seed.substr(seed.find("secret"), 71)), std::string::npos);
}

TEST_F(CookieKeeperTest, shared_keys_are_never_made_by_one_node) {
  config_.shared = true;
  Daemon daemon(*this);
  const Result<void> none = start(daemon);
  ASSERT_FALSE(none.ok());
  EXPECT_NE(none.error().text().find("cookie-seed"), std::string::npos) << none.error().text();
  write("timepool-nts-cookies 1\nrotation 86400\n");
  const Result<void> cut = start(daemon);
  ASSERT_FALSE(cut.ok());
  EXPECT_NE(cut.error().text().find("cut off"), std::string::npos) << cut.error().text();
  EXPECT_EQ(daemon.changes, 0);
}

TEST_F(CookieKeeperTest, shared_keys_of_another_rotation_are_refused) {
  Daemon first(*this);
  ASSERT_TRUE(start(first).ok());
  config_.shared = true;
  config_.rotation = Duration::seconds(3600);
  Daemon second(*this);
  EXPECT_FALSE(start(second).ok());
  config_.shared = false;
  ASSERT_TRUE(start(second).ok());
  EXPECT_TRUE(second.told->find(first.current().id)) << "cookies of before still open";
}

TEST_F(CookieKeeperTest, a_key_file_truncated_at_the_start_is_put_aside_and_new_keys_are_made) {
  const std::string rubbish = "timepool-nts-cookies 1\nrotation 864";
  write(rubbish);
  Daemon daemon(*this);
  ASSERT_TRUE(start(daemon).ok());
  EXPECT_TRUE(daemon.told->usable());
  EXPECT_EQ(sys::read_file(path() + ".bad", 1000).value_or(""), rubbish);
  EXPECT_TRUE(nts::KeyChain::parse(text()).ok());
}

TEST_F(CookieKeeperTest, a_key_file_replaced_by_rubbish_leaves_the_keys_in_use) {
  Daemon daemon(*this);
  ASSERT_TRUE(start(daemon).ok());
  const nts::CookieKey before = daemon.current();
  write("rubbish\n");
  const Result<void> again = start(daemon);
  ASSERT_FALSE(again.ok());
  EXPECT_NE(again.error().text().find("does not begin"), std::string::npos);
  EXPECT_EQ(daemon.current(), before);
  // The next rotation writes a good one.
  pass(daemon, kDay);
  EXPECT_TRUE(nts::KeyChain::parse(text()).ok());
  EXPECT_TRUE(start(daemon).ok());
}

TEST_F(CookieKeeperTest, a_file_that_others_can_read_is_refused) {
  Daemon first(*this);
  ASSERT_TRUE(start(first).ok());
  ::chmod(path().c_str(), 0640);
  Daemon second(*this);
  EXPECT_EQ(start(second).error().code, ErrorCode::kDenied);
}

TEST_F(CookieKeeperTest, another_seed_is_taken_by_a_reload_and_old_cookies_open_on) {
  Daemon first(*this);
  ASSERT_TRUE(start(first).ok());
  const nts::CookieKey old = first.current();
  write(nts::KeyChain::begin({}, kDay, kNow).text());
  ASSERT_TRUE(start(first).ok());
  EXPECT_NE(first.current(), old);
  EXPECT_TRUE(first.told->find(old.id));
}

TEST_F(CookieKeeperTest, a_reload_changes_nothing_where_nothing_changed) {
  Daemon daemon(*this);
  ASSERT_TRUE(start(daemon).ok());
  pass(daemon, kDay);
  const nts::CookieKeys before = *daemon.told;
  ASSERT_TRUE(start(daemon).ok());
  ASSERT_EQ(daemon.told->keys.size(), before.keys.size());
  for (std::size_t i = 0; i < before.keys.size(); ++i) {
    EXPECT_EQ(daemon.told->keys[i], before.keys[i]);
  }
  // Another process, that took over and rotated.
  Daemon other(*this);
  ASSERT_TRUE(start(other).ok());
  pass(other, kDay);
  ASSERT_TRUE(start(daemon).ok());
  EXPECT_EQ(daemon.current(), other.current());
  EXPECT_EQ(daemon.told->keys.size(), 4U);
}

TEST_F(CookieKeeperTest, a_clock_that_is_not_good_begins_no_epoch) {
  Daemon first(*this);
  ASSERT_TRUE(start(first).ok());
  const nts::CookieKey before = first.current();
  clock_.good = false;
  pass(first, Duration::seconds(86'400LL * 3650));
  EXPECT_EQ(first.current(), before);
  clock_ = {true, kNow + kDay};
  first.keeper.look();
  EXPECT_NE(first.current(), before);
}

TEST_F(CookieKeeperTest, a_first_start_without_a_clock_catches_up_and_keeps_its_cookies) {
  clock_ = {false, UnixTime::from_seconds(1000)};
  Daemon daemon(*this);
  ASSERT_TRUE(start(daemon).ok());
  const nts::CookieKey before = daemon.current();
  clock_ = {true, kNow};
  daemon.keeper.look();
  EXPECT_TRUE(daemon.told->find(before.id));
  EXPECT_EQ(daemon.keeper.report()->next_epoch, parse_utc("2026-11-22T00:00:00Z").value());
}

TEST_F(CookieKeeperTest, a_chain_far_ahead_of_a_good_clock_is_replaced_unless_it_is_shared) {
  clock_.now = kNow + Duration::seconds(86'400LL * 3650);
  Daemon first(*this);
  ASSERT_TRUE(start(first).ok());
  const nts::CookieKey before = first.current();
  clock_.now = kNow;
  config_.shared = true;
  ASSERT_TRUE(start(first).ok());
  EXPECT_EQ(first.current(), before);
  config_.shared = false;
  ASSERT_TRUE(start(first).ok());
  EXPECT_NE(first.current(), before);
  EXPECT_TRUE(first.told->find(before.id));
}

TEST_F(CookieKeeperTest, without_settings_there_are_no_keys) {
  Daemon daemon(*this);
  ASSERT_TRUE(daemon.keeper.configure(std::nullopt, directory_).ok());
  EXPECT_EQ(daemon.changes, 0);
  ASSERT_TRUE(start(daemon).ok());
  ASSERT_TRUE(daemon.keeper.configure(std::nullopt, directory_).ok());
  EXPECT_EQ(daemon.told, nullptr);
  EXPECT_FALSE(daemon.keeper.report());
}

TEST_F(CookieKeeperTest, a_file_that_can_not_be_written_is_tried_again) {
  config_.file = directory_ + "/later/keys";
  Daemon daemon(*this);
  ASSERT_TRUE(start(daemon).ok());
  EXPECT_FALSE(daemon.keeper.report()->saved);
  std::filesystem::create_directories(directory_ + "/later");
  pass(daemon, Duration::seconds(60));
  EXPECT_TRUE(daemon.keeper.report()->saved);
}

}  // namespace
}  // namespace timepool::ntpd
