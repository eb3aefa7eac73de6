#include "monitord/spool.h"
#include "sys/temporary_directory.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

namespace timepool::monitord {
namespace {

namespace fs = std::filesystem;

class SpoolTest : public ::testing::Test {
 protected:
  Spool open(std::uint64_t max_bytes = 1 << 20) {
    auto spool = Spool::open(directory_, max_bytes);
    EXPECT_TRUE(spool.ok());
    return std::move(spool).value();
  }
  std::size_t files() const {
    return static_cast<std::size_t>(
        std::distance(fs::directory_iterator(directory_), fs::directory_iterator()));
  }

  sys::TemporaryDirectory temporary_;
  std::string directory_ = temporary_.path();
};

TEST_F(SpoolTest, gives_batches_in_the_order_they_came) {
  Spool spool = open();
  ASSERT_TRUE(spool.add("k1", "one", 1).ok());
  ASSERT_TRUE(spool.add("k2", "two", 2).ok());
  const auto first = spool.oldest();
  ASSERT_TRUE(first);
  EXPECT_EQ(first->key, "k1");
  EXPECT_EQ(first->body, "one");
  spool.remove(first->sequence);
  EXPECT_EQ(spool.oldest()->key, "k2");
  EXPECT_EQ(spool.counts().results, 2U);
}

TEST_F(SpoolTest, a_restart_finds_every_batch_with_its_key) {
  {
    Spool spool = open();
    ASSERT_TRUE(spool.add("k1", "one", 1).ok());
    ASSERT_TRUE(spool.add("k2", "two", 5).ok());
    spool.remove(spool.oldest()->sequence);
    ASSERT_TRUE(spool.add("k3", "three", 7).ok());
  }
  Spool spool = open();
  EXPECT_EQ(spool.counts().batches, 2U);
  EXPECT_EQ(spool.counts().results, 12U);
  EXPECT_EQ(spool.oldest()->key, "k2");
  ASSERT_TRUE(spool.add("k4", "four", 1).ok());
  for (const char* key : {"k2", "k3", "k4"}) {
    const auto batch = spool.oldest();
    ASSERT_TRUE(batch);
    EXPECT_EQ(batch->key, key);
    spool.remove(batch->sequence);
  }
  EXPECT_FALSE(spool.oldest());
  EXPECT_EQ(files(), 0U);
}

TEST_F(SpoolTest, drops_and_counts_the_oldest_past_the_limit) {
  Spool spool = open(100);
  for (int i = 0; i < 5; ++i) {
    ASSERT_TRUE(spool.add("k" + std::to_string(i), std::string(40, 'x'), 3).ok());
  }
  EXPECT_EQ(spool.counts().batches, 2U);
  EXPECT_EQ(spool.counts().dropped_batches, 3U);
  EXPECT_EQ(spool.counts().dropped_results, 9U);
  EXPECT_EQ(spool.oldest()->key, "k3");
  EXPECT_EQ(files(), 2U);
}

TEST_F(SpoolTest, a_lower_limit_holds_from_the_start) {
  {
    Spool spool = open();
    ASSERT_TRUE(spool.add("k1", std::string(60, 'x'), 1).ok());
    ASSERT_TRUE(spool.add("k2", std::string(60, 'x'), 1).ok());
  }
  EXPECT_EQ(open(100).oldest()->key, "k2");
}

TEST_F(SpoolTest, ignores_strange_files_and_clears_cut_off_writes) {
  std::ofstream(directory_ + "/README") << "hello";
  std::ofstream(directory_ + "/00000000000000000001-1-k.json.tmp99") << "{";
  Spool spool = open();
  EXPECT_EQ(spool.counts().batches, 0U);
  EXPECT_EQ(files(), 1U);
}

TEST_F(SpoolTest, holds_in_memory_what_cannot_be_written) {
  Spool spool = open();
  fs::remove_all(directory_);
  EXPECT_FALSE(spool.add("k1", "one", 1).ok());
  EXPECT_EQ(spool.counts().unwritten_batches, 1U);
  const auto batch = spool.oldest();
  ASSERT_TRUE(batch);
  EXPECT_EQ(batch->body, "one");
  spool.remove(batch->sequence);
  EXPECT_EQ(spool.counts().unwritten_batches, 0U);
  EXPECT_FALSE(spool.oldest());
}

TEST_F(SpoolTest, goes_on_past_a_file_that_vanished) {
  Spool spool = open();
  ASSERT_TRUE(spool.add("k1", "one", 1).ok());
  ASSERT_TRUE(spool.add("k2", "two", 1).ok());
  fs::remove(directory_ + "/00000000000000000001-1-k1.json");
  EXPECT_EQ(spool.oldest()->key, "k2");
  EXPECT_EQ(spool.counts().dropped_results, 1U);
}

TEST_F(SpoolTest, keeps_the_file_of_a_batch_that_cannot_be_read) {
  Spool spool = open();
  ASSERT_TRUE(spool.add("k1", "one", 3).ok());
  ASSERT_TRUE(spool.add("k2", "two", 1).ok());
  // A directory in its place: open() succeeds and read() fails, for root too.
  const std::string path = directory_ + "/00000000000000000001-3-k1.json";
  fs::rename(path, directory_ + "/aside");
  fs::create_directory(path);
  EXPECT_EQ(spool.oldest()->key, "k2");
  EXPECT_EQ(spool.counts().unreadable_batches, 1U);
  EXPECT_EQ(spool.counts().dropped_results, 0U);
  EXPECT_NE(spool.take_unreadable().find("k1.json"), std::string::npos);
  EXPECT_EQ(spool.take_unreadable(), "");
  fs::remove(path);
  fs::rename(directory_ + "/aside", path);
  EXPECT_EQ(open().oldest()->body, "one");
}

TEST_F(SpoolTest, writes_what_it_held_in_memory_once_there_is_room) {
  {
    Spool spool = open();
    fs::remove_all(directory_);
    EXPECT_FALSE(spool.add("k1", "one", 1).ok());
    EXPECT_FALSE(spool.add("k2", "two", 1).ok());
    fs::create_directory(directory_);
    EXPECT_TRUE(spool.add("k3", "three", 1).ok());
    EXPECT_EQ(spool.counts().unwritten_batches, 0U);
  }
  Spool spool = open();
  EXPECT_EQ(spool.counts().batches, 3U);
  EXPECT_EQ(spool.oldest()->body, "one");
}

TEST_F(SpoolTest, takes_no_key_that_a_header_could_not_hold) {
  std::ofstream(directory_ + "/00000000000000000001-1-a\r\nX: y.json") << "{}";
  std::ofstream(directory_ + "/00000000000000000002-1-.json") << "{}";
  EXPECT_FALSE(open().oldest());
}

TEST(SpoolKey, is_fresh) {
  EXPECT_EQ(new_key().size(), 32U);
  EXPECT_NE(new_key(), new_key());
}

}  // namespace
}  // namespace timepool::monitord
