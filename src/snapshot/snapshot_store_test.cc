#include "snapshot/snapshot_store.h"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <set>
#include <string>

#include "base/prng.h"
#include "sys/file.h"
#include "sys/temporary_directory.h"

namespace timepool::snapshot {
namespace {

class SnapshotStoreTest : public ::testing::Test {
 protected:
  void SetUp() override {
    crypto::SigningKey::Seed seed;
    seed.fill(std::byte{9});
    key_ = std::make_unique<crypto::SigningKey>(crypto::SigningKey::from_seed(seed));
    keys_ = {key_->public_key()};
  }

  SnapshotStore store(std::size_t keep = 3) {
    auto made = SnapshotStore::create(directory_, "dns", keep);
    EXPECT_TRUE(made.ok()) << (made.ok() ? "" : made.error().text());
    return *made;
  }
  std::string file(std::uint64_t serial, const std::string& payload = "{}") {
    return *seal(payload, serial, UnixTime::from_seconds(1'795'262'400), *key_);
  }
  static void save(SnapshotStore& store, std::uint64_t serial, const std::string& bytes) {
    const auto saved = store.save(serial, bytes);
    ASSERT_TRUE(saved.ok()) << saved.error().text();
  }
  std::set<std::string> names() const {
    std::set<std::string> out;
    for (const auto& entry : std::filesystem::directory_iterator(directory_)) {
      out.insert(entry.path().filename().string());
    }
    return out;
  }
  std::string path(std::uint64_t serial) const {
    std::string digits = std::to_string(serial);
    return directory_ + "/dns-" + std::string(20 - digits.size(), '0') + digits + ".snapshot";
  }

  sys::TemporaryDirectory temporary_;
  std::string directory_ = temporary_.path() + "/kept";
  std::unique_ptr<crypto::SigningKey> key_;
  std::vector<crypto::PublicKey> keys_;
};

TEST_F(SnapshotStoreTest, an_empty_directory_holds_none) {
  const auto loaded = store().load(keys_);
  ASSERT_TRUE(loaded.ok());
  EXPECT_FALSE(loaded->snapshot.has_value());
  EXPECT_TRUE(loaded->skipped.empty());
}

TEST_F(SnapshotStoreTest, loads_the_newest_and_keeps_the_last_few) {
  SnapshotStore made = store(3);
  for (const std::uint64_t serial : {8u, 9u, 10u, 11u, 100u}) {
    save(made, serial, file(serial, "payload " + std::to_string(serial)));
  }
  const auto loaded = made.load(keys_);
  ASSERT_TRUE(loaded.ok() && loaded->snapshot);
  EXPECT_EQ(loaded->snapshot->serial, 100u);
  EXPECT_EQ(loaded->snapshot->payload, "payload 100");
  EXPECT_EQ(loaded->file, file(100, "payload 100"));
  EXPECT_EQ(names().size(), 3u);
  EXPECT_FALSE(std::filesystem::exists(path(9)));
  EXPECT_TRUE(std::filesystem::exists(path(10)));
}

TEST_F(SnapshotStoreTest, skips_damaged_files_and_says_which_and_why) {
  SnapshotStore made = store(5);
  for (const std::uint64_t serial : {1u, 2u, 3u, 4u}) save(made, serial, file(serial));
  std::string damaged = file(4);
  damaged.back() = static_cast<char>(damaged.back() ^ 1);
  ASSERT_TRUE(sys::write_file_atomic(path(4), damaged).ok());
  ASSERT_TRUE(sys::write_file_atomic(path(3), file(3).substr(0, 50)).ok());
  const auto loaded = made.load(keys_);
  ASSERT_TRUE(loaded.ok() && loaded->snapshot);
  EXPECT_EQ(loaded->snapshot->serial, 2u);
  ASSERT_EQ(loaded->skipped.size(), 2u);
  EXPECT_EQ(loaded->skipped[0].text(),
            "skipped " + path(4) + ": snapshot: no known key signed it, or it was changed since");
  EXPECT_NE(loaded->skipped[1].text().find("ends within its header"), std::string::npos);
}

TEST_F(SnapshotStoreTest, does_not_take_an_old_file_under_a_new_name) {
  SnapshotStore made = store();
  save(made, 5, file(5));
  ASSERT_TRUE(sys::write_file_atomic(path(6), file(4)).ok());
  const auto loaded = made.load(keys_);
  ASSERT_TRUE(loaded.ok() && loaded->snapshot);
  EXPECT_EQ(loaded->snapshot->serial, 5u);
  EXPECT_EQ(loaded->skipped.size(), 1u);
}

TEST_F(SnapshotStoreTest, a_save_that_was_interrupted_leaves_nothing_behind) {
  {
    SnapshotStore made = store();
    save(made, 5, file(5));
  }
  std::ofstream(path(6) + ".tmp1234567") << file(6).substr(0, 40);
  std::ofstream(directory_ + "/of_someone_else.tmp1") << "stays";
  SnapshotStore made = store();
  EXPECT_EQ(made.load(keys_)->snapshot->serial, 5u);
  EXPECT_EQ(names(),
            (std::set<std::string>{"dns-00000000000000000005.snapshot", "of_someone_else.tmp1"}));
}

TEST_F(SnapshotStoreTest, a_full_disk_keeps_what_was_there) {
  SnapshotStore made = store();
  save(made, 5, file(5, "small"));
  // Random text does not compress: the file is larger than the limit.
  std::string payload;
  Prng prng(3);
  for (int i = 0; i < 20'000; ++i) payload.push_back(static_cast<char>('a' + prng.below(26)));
  const std::string large = file(6, payload);
  ASSERT_GT(large.size(), 8000u);
  struct rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &before), 0);
  const auto handler = std::signal(SIGXFSZ, SIG_IGN);
  const struct rlimit small{4096, before.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &small), 0);
  const auto saved = made.save(6, large);
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &before), 0);
  std::signal(SIGXFSZ, handler);
  ASSERT_FALSE(saved.ok());
  EXPECT_NE(saved.error().text().find(path(6)), std::string::npos);
  EXPECT_EQ(made.load(keys_)->snapshot->serial, 5u);
  EXPECT_EQ(names().size(), 1u);
  save(made, 6, large);
  EXPECT_EQ(made.load(keys_)->snapshot->serial, 6u);
}

TEST_F(SnapshotStoreTest, ignores_files_that_are_not_its_own) {
  SnapshotStore made = store();
  save(made, 5, file(5));
  for (const char* name :
       {"dns-6.snapshot", "dns-0000000000000000000x.snapshot", "notes.txt",
        "web-00000000000000000007.snapshot", "dns-99999999999999999999.snapshot"}) {
    std::ofstream(directory_ + "/" + name) << "x";
  }
  const auto loaded = made.load(keys_);
  EXPECT_EQ(loaded->snapshot->serial, 5u);
  EXPECT_TRUE(loaded->skipped.empty());
}

TEST_F(SnapshotStoreTest, a_directory_that_cannot_be_made_names_it) {
  std::ofstream(directory_) << "a file";
  const auto made = SnapshotStore::create(directory_, "dns", 3);
  ASSERT_FALSE(made.ok());
  EXPECT_NE(made.error().text().find(directory_), std::string::npos);
}

}  // namespace
}  // namespace timepool::snapshot
