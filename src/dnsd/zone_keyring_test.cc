#include "dnsd/zone_keyring.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "crypto/dns_key_bundle.h"
#include "sys/temporary_directory.h"

namespace timepool::dnsd {
namespace {

constexpr std::int64_t kHour = 3600;

class ZoneKeyringTest : public testing::Test {
 protected:
  void SetUp() override {
    directory_.emplace(root_ + "/keys");
    ASSERT_TRUE(directory_->prepare().ok());
    config_.name = "pool.example";
    config_.keys = config::DnssecKeys::kKskZsk;
    start();
  }
  // As after a restart of the program.
  void start() { ring_.emplace(zone_, config_, *directory_, logger_); }
  // The machine's clocks, `seconds` later.
  bool look(std::int64_t seconds = 0) {
    now_.mark.boot[0] = std::byte{1};
    now_.mark.since_boot += Duration::seconds(seconds);
    now_.mono = now_.mono + Duration::seconds(seconds);
    now_.wall = now_.wall + Duration::seconds(seconds);
    return ring_->look(now_);
  }
  std::vector<std::string> files() const {
    std::vector<std::string> out;
    for (const auto& it : std::filesystem::directory_iterator(root_ + "/keys")) {
      out.push_back(it.path().filename());
    }
    std::sort(out.begin(), out.end());
    return out;
  }
  const dnssec::PlannedKey& key(std::size_t index) const {
    return ring_->plan()->record().keys.at(index);
  }
  std::string path_of(const dnssec::PlannedKey& key) const {
    return directory_->key_path("pool.example.", key.algorithm, key.tag);
  }
  std::uint16_t entry_tag() const {
    return key(0).role == dnssec::KeyRole::kKsk ? key(0).tag : key(1).tag;
  }

  sys::TemporaryDirectory temporary_;
  std::string root_ = temporary_.path();
  std::optional<crypto::DnsKeyDirectory> directory_;
  sys::Logger logger_{"test"};
  wire::dns::DnsName zone_ = wire::dns::DnsName::from_text("Pool.Example").value();
  config::DnsdDnssecZoneConfig config_;
  std::optional<ZoneKeyring> ring_;
  ZoneKeyring::Now now_{
      {}, MonoTime::from_ns(5'000'000'000), UnixTime::from_seconds(1'800'000'000)};
};

TEST_F(ZoneKeyringTest, makes_keys_writes_them_down_and_gives_them) {
  EXPECT_TRUE(look());
  ASSERT_NE(ring_->keys(), nullptr);
  ASSERT_EQ(ring_->keys()->keys.size(), 2U);
  for (const dnssec::ZoneKey& it : ring_->keys()->keys) {
    ASSERT_NE(it.signer, nullptr);
    EXPECT_EQ(it.tag, dnssec::key_tag(it));
    std::array<std::byte, dnssec::kSignatureSize> signature{};
    const std::array<std::byte, 3> data{};
    ASSERT_TRUE(it.signer->sign(data, signature));
    EXPECT_TRUE(crypto::verify_dns_signature(it.algorithm, it.public_key, data, signature));
  }
  EXPECT_EQ(files().size(), 3U);
  for (const std::string& file : files()) {
    struct stat info{};
    ASSERT_EQ(::stat((root_ + "/keys/" + file).c_str(), &info), 0);
    EXPECT_EQ(info.st_mode & 0777, 0600U) << file;
  }
  EXPECT_EQ(directory_->read_state("pool.example.").value()->record, ring_->plan()->record());
  EXPECT_FALSE(look());
  EXPECT_EQ(ring_->problem(), "");
}

TEST_F(ZoneKeyringTest, goes_on_after_a_restart_with_the_same_keys) {
  look();
  const dnssec::KeyRecord before = ring_->plan()->record();
  start();
  EXPECT_TRUE(look(10));
  EXPECT_EQ(ring_->plan()->record().keys, before.keys);
  ASSERT_NE(ring_->keys(), nullptr);
  EXPECT_EQ(ring_->keys()->keys.size(), 2U);
}

TEST_F(ZoneKeyringTest, offers_its_DS_rolls_and_forgets_by_time) {
  look();
  EXPECT_TRUE(ring_->ds_set(false).empty());
  EXPECT_EQ(ring_->ds_set(true).size(), 1U);
  look(25 * kHour);
  ASSERT_EQ(ring_->keys()->cds.size(), 1U);
  EXPECT_EQ(ring_->ds_set(false), ring_->keys()->cds);
  EXPECT_TRUE(ring_->waits_for_parent());
  // The set that the parent has, beside a key of somebody else.
  DsSet seen = ring_->ds_set(false);
  std::vector<std::byte> other = seen[0];
  other.back() ^= std::byte{1};
  EXPECT_TRUE(ring_->observe(DsSet{other}, now_).ok());
  EXPECT_TRUE(ring_->waits_for_parent());
  EXPECT_TRUE(ring_->observe(seen, now_).ok());
  look(25 * kHour);
  EXPECT_FALSE(ring_->waits_for_parent());
  const std::uint16_t first = entry_tag();
  ASSERT_TRUE(ring_->ask_to_leave(first, std::nullopt).ok());
  EXPECT_TRUE(look());
  EXPECT_EQ(ring_->plan()->record().keys.size(), 3U);
  EXPECT_TRUE(look(2 * kHour));
  EXPECT_TRUE(ring_->observe(ring_->ds_set(false), now_).ok());
  look(30 * kHour);
  EXPECT_EQ(ring_->keys()->keys.size(), 2U);
  EXPECT_EQ(files().size(), 4U);
  look(31 * 24 * kHour);
  EXPECT_EQ(files().size(), 3U);
}

TEST_F(ZoneKeyringTest, a_system_clock_that_jumps_changes_nothing) {
  look();
  const dnssec::KeyRecord before = ring_->plan()->record();
  now_.wall = now_.wall + Duration::seconds(10LL * 365 * 86'400);
  EXPECT_FALSE(look(1));
  now_.wall = UnixTime();
  EXPECT_FALSE(look(1));
  start();
  look(1);
  EXPECT_EQ(ring_->plan()->record().keys, before.keys);
  // A reboot whose clock is years ahead.
  now_.mark.boot[1] = std::byte{7};
  now_.wall = UnixTime::from_seconds(2'500'000'000);
  start();
  look(1);
  EXPECT_EQ(ring_->plan()->record().keys, before.keys);
}

TEST_F(ZoneKeyringTest, nothing_is_served_that_could_not_be_written_down) {
  look();
  const auto served = ring_->keys();
  const auto record = ring_->plan()->record();
  const std::string state = directory_->state_path("pool.example.");
  ASSERT_EQ(std::rename(state.c_str(), (root_ + "/aside").c_str()), 0);
  ASSERT_EQ(::mkdir(state.c_str(), 0700), 0);
  ASSERT_TRUE(ring_->ask_to_leave(std::nullopt, dnssec::KeyRole::kZsk).ok());
  EXPECT_FALSE(look(1));
  EXPECT_EQ(ring_->keys(), served);
  EXPECT_NE(ring_->problem().find("pool.example.state"), std::string::npos);
  EXPECT_EQ(files().size(), 3U);  // the key that was made is gone again
  // The disk is right again: it goes on by itself.
  ASSERT_EQ(::rmdir(state.c_str()), 0);
  EXPECT_FALSE(look(1));
  EXPECT_TRUE(look(10));
  EXPECT_EQ(ring_->problem(), "");
  EXPECT_EQ(ring_->plan()->record().keys.size(), record.keys.size() + 1);
}

TEST_F(ZoneKeyringTest, a_damaged_state_makes_no_new_keys) {
  look();
  const auto before = files();
  std::ofstream(directory_->state_path("pool.example."), std::ios::app) << "x";
  start();
  EXPECT_FALSE(look(1));
  EXPECT_EQ(ring_->keys(), nullptr);
  EXPECT_NE(ring_->problem().find("cut off"), std::string::npos) << ring_->problem();
  EXPECT_EQ(files(), before);
  EXPECT_FALSE(ring_->ask_to_leave(std::nullopt, std::nullopt).ok());
}

TEST_F(ZoneKeyringTest, a_missing_key_at_the_start_is_told_and_waited_for) {
  look();
  const std::string path = path_of(key(1));
  ASSERT_EQ(std::rename(path.c_str(), (root_ + "/aside").c_str()), 0);
  start();
  EXPECT_FALSE(look(1));
  EXPECT_EQ(ring_->keys(), nullptr);
  EXPECT_NE(ring_->problem().find(path), std::string::npos);
  ASSERT_EQ(std::rename((root_ + "/aside").c_str(), path.c_str()), 0);
  EXPECT_TRUE(look(11));
  EXPECT_NE(ring_->keys(), nullptr);
  EXPECT_EQ(ring_->problem(), "");
}

TEST_F(ZoneKeyringTest, keys_in_memory_are_used_on_whatever_becomes_of_their_files) {
  look();
  const auto served = ring_->keys();
  const std::string path = path_of(key(0));
  const auto expect_problem = [&](const std::string& text) {
    look(61);
    EXPECT_EQ(ring_->keys(), served);
    EXPECT_NE(ring_->problem().find(text), std::string::npos) << ring_->problem();
    EXPECT_NE(ring_->problem().find(path), std::string::npos) << ring_->problem();
  };
  ASSERT_EQ(::chmod(path.c_str(), 0644), 0);
  expect_problem("chmod 600");
  ASSERT_EQ(std::rename(path.c_str(), (root_ + "/aside").c_str()), 0);
  expect_problem("No such file");
  ASSERT_TRUE(crypto::DnsKey::generate(key(0).algorithm).value()->save(path).ok());
  expect_problem("another key");
  std::ofstream(path) << "-----BEGIN PRIVATE KEY-----\n";
  expect_problem("cut off");
  ASSERT_EQ(std::rename((root_ + "/aside").c_str(), path.c_str()), 0);
  ASSERT_EQ(::chmod(path.c_str(), 0600), 0);
  look(61);
  EXPECT_EQ(ring_->problem(), "");
}

TEST_F(ZoneKeyringTest, another_server_uses_the_keys_that_were_brought) {
  look();
  const crypto::DnsKeyDirectory there(root_ + "/there");
  ASSERT_TRUE(there.prepare().ok());
  config_.roll = false;
  ZoneKeyring follower(zone_, config_, there, logger_);
  EXPECT_FALSE(follower.look(now_));
  EXPECT_NE(follower.problem().find("not there yet"), std::string::npos);
  const auto bring = [&] {
    const auto bundle = crypto::collect_bundle(*directory_, "pool.example.");
    ASSERT_TRUE(bundle.ok());
    ASSERT_TRUE(crypto::install_bundle(there, *bundle).ok());
  };
  bring();
  EXPECT_TRUE(follower.look(now_));
  ASSERT_NE(follower.keys(), nullptr);
  EXPECT_EQ(follower.keys()->keys.size(), 2U);
  EXPECT_FALSE(follower.ask_to_leave(std::nullopt, std::nullopt).ok());
  EXPECT_FALSE(follower.waits_for_parent());
  look(25 * kHour);
  bring();
  EXPECT_TRUE(follower.look(now_));
  EXPECT_EQ(follower.keys()->cds, ring_->keys()->cds);
  // Gone, or damaged: what is in use stays.
  const auto served = follower.keys();
  std::ofstream(there.state_path("pool.example.")) << "rubbish";
  EXPECT_FALSE(follower.look(now_));
  EXPECT_EQ(follower.keys(), served);
  EXPECT_NE(follower.problem().find("no state of DNSSEC keys"), std::string::npos);
  std::filesystem::remove(there.state_path("pool.example."));
  now_.mono = now_.mono + ZoneKeyring::kRetry;
  EXPECT_FALSE(follower.look(now_));
  EXPECT_EQ(follower.keys(), served);
  EXPECT_NE(follower.problem().find("gone"), std::string::npos);
}

TEST_F(ZoneKeyringTest, while_another_process_has_the_directory_it_only_uses_the_keys) {
  look();
  ZoneKeyring second(zone_, config_, *directory_, logger_);
  ZoneKeyring::Now waiting = now_;
  waiting.may_roll = false;
  EXPECT_TRUE(second.look(waiting));
  EXPECT_EQ(second.keys()->keys.size(), 2U);
  EXPECT_FALSE(second.ask_to_leave(std::nullopt, std::nullopt).ok());
  ASSERT_TRUE(ring_->ask_to_leave(entry_tag(), std::nullopt).ok());
  look(1);
  waiting.mono = now_.mono;
  EXPECT_TRUE(second.look(waiting));
  EXPECT_EQ(second.keys()->keys.size(), 3U);
  // The other one has ended.
  EXPECT_FALSE(second.look(now_));
  EXPECT_TRUE(second.ask_to_leave(std::nullopt, dnssec::KeyRole::kZsk).ok());
  EXPECT_TRUE(second.look(now_));
  EXPECT_EQ(second.keys()->keys.size(), 4U);
}

TEST_F(ZoneKeyringTest, a_zone_that_is_led_out_of_DNSSEC_loses_its_keys_at_the_end) {
  look();
  look(25 * kHour);
  ASSERT_TRUE(ring_->observe(ring_->ds_set(false), now_).ok());
  look(25 * kHour);
  config_.unsign = true;
  ring_->reconfigure(config_);
  EXPECT_TRUE(look());
  ASSERT_EQ(ring_->keys()->cds.size(), 1U);
  EXPECT_EQ(ring_->keys()->cds[0], std::vector<std::byte>(5));
  ASSERT_TRUE(ring_->observe(DsSet{}, now_).ok());
  EXPECT_TRUE(look(30 * kHour));
  EXPECT_EQ(ring_->keys(), nullptr);
  EXPECT_EQ(ring_->problem(), "");
}

TEST_F(ZoneKeyringTest, commands_name_what_they_do_not_find) {
  look();
  EXPECT_EQ(ring_->ask_to_leave(std::uint16_t{1}, dnssec::KeyRole::kCsk).error().code,
            ErrorCode::kNotFound);
  const std::uint16_t zsk = entry_tag() == key(0).tag ? key(1).tag : key(0).tag;
  EXPECT_EQ(ring_->observe(std::vector<std::uint16_t>{zsk}, now_).error().code,
            ErrorCode::kNotFound);
}

// Hundreds of zones would wait for the disk one after the other at each start.
TEST_F(ZoneKeyringTest, a_restart_in_which_nothing_is_due_writes_nothing) {
  look();
  const std::string stamp = directory_->state_stamp("pool.example.");
  ASSERT_FALSE(stamp.empty());
  start();
  look(10);
  ASSERT_NE(ring_->keys(), nullptr);
  EXPECT_EQ(directory_->state_stamp("pool.example."), stamp);
  // What was asked for is written down though no step comes of it yet.
  ASSERT_TRUE(ring_->ask_to_leave(std::nullopt, dnssec::KeyRole::kKsk).ok());
  look();
  EXPECT_NE(directory_->state_stamp("pool.example."), stamp);
}

}  // namespace
}  // namespace timepool::dnsd
