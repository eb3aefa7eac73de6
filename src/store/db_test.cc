#include "store/db.h"

#include <gtest/gtest.h>

#include <atomic>
#include <fstream>
#include <thread>
#include <vector>

#include "store/temporary_store.h"

namespace timepool::store {
namespace {

class DbTest : public testing::Test {
 protected:
  void SetUp() override {
    store_.open();
    ASSERT_TRUE(run("CREATE TABLE t (k INTEGER PRIMARY KEY, v TEXT) STRICT").ok());
  }
  Result<void> run(const std::string& sql) {
    return store_.db->write([&](Tx& tx) { return tx.script(sql); });
  }
  std::int64_t count() {
    std::int64_t out = -1;
    const auto done = store_.db->read([&](Tx& tx) -> Result<void> {
      TRY(tx.run("SELECT count(*) FROM t", {}, [&](const Row& row) { out = row.integer(0); }));
      return {};
    });
    EXPECT_TRUE(done.ok());
    return out;
  }
  TemporaryStore store_;
};

TEST_F(DbTest, parameters_are_bound_by_their_number) {
  std::string text;
  double real = 0;
  bool null = false;
  std::string blob;
  const auto done = store_.db->read([&](Tx& tx) -> Result<void> {
    TRY(tx.run("SELECT $4, $2, $1, $3", {std::string("one"), 2.5, std::monostate{}, Blob{"\0x"}},
               [&](const Row& row) {
                 blob = row.text(0);
                 real = row.real(1);
                 text = row.text(2);
                 null = row.is_null(3);
               }));
    return {};
  });
  ASSERT_TRUE(done.ok());
  EXPECT_EQ(text, "one");
  EXPECT_EQ(real, 2.5);
  EXPECT_TRUE(null);
}

TEST_F(DbTest, failed_write_changes_nothing) {
  const auto done = store_.db->write([](Tx& tx) -> Result<void> {
    TRY(tx.run("INSERT INTO t VALUES (1, 'a')"));
    return fail(Error{ErrorCode::kInvalid, "job", "gave up"});
  });
  ASSERT_FALSE(done.ok());
  EXPECT_EQ(done.error().detail, "gave up");
  EXPECT_EQ(count(), 0);
}

TEST_F(DbTest, constraint_is_exists_and_reads_cannot_write) {
  ASSERT_TRUE(run("INSERT INTO t VALUES (1, 'a')").ok());
  EXPECT_EQ(run("INSERT INTO t VALUES (1, 'b')").error().code, ErrorCode::kExists);
  const auto read =
      store_.db->read([](Tx& tx) { return tx.script("INSERT INTO t VALUES (2, 'b')"); });
  EXPECT_EQ(read.error().code, ErrorCode::kDenied);
  EXPECT_EQ(count(), 1);
}

TEST_F(DbTest, many_writers_each_get_their_own_result_and_share_commits) {
  constexpr int kThreads = 16;
  constexpr int kEach = 50;
  std::atomic<int> wrong{0};
  const std::uint64_t before = store_.db->commits();
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < kEach; ++i) {
        const bool refuse = i % 5 == 0;
        const auto done = store_.db->write([&](Tx& tx) -> Result<void> {
          TRY(tx.run("INSERT INTO t VALUES ($1, 'x')", {std::int64_t{t * 1000 + i}}));
          if (refuse) return fail(Error{ErrorCode::kInvalid, "job", ""});
          return {};
        });
        if (done.ok() == refuse) ++wrong;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(wrong, 0);
  EXPECT_EQ(count(), kThreads * kEach * 4 / 5);
  EXPECT_LE(store_.db->commits() - before, std::uint64_t{kThreads * kEach});
}

TEST_F(DbTest, writes_are_there_after_opening_again) {
  ASSERT_TRUE(run("INSERT INTO t VALUES (1, 'a')").ok());
  store_.open();
  EXPECT_EQ(count(), 1);
}

TEST_F(DbTest, full_disk_is_told_and_nothing_of_the_write_stays) {
  store_.options.max_bytes = 512 * 1024;
  store_.open();
  const std::string large(20'000, 'x');
  Result<void> done;
  std::int64_t written = 0;
  for (; written < 100 && done.ok(); ++written) {
    done = store_.db->write([&](Tx& tx) -> Result<void> {
      TRY(tx.run("INSERT INTO t VALUES ($1, $2)", {written, large}));
      return {};
    });
  }
  ASSERT_FALSE(done.ok());
  EXPECT_EQ(done.error().code, ErrorCode::kExhausted);
  EXPECT_NE(done.error().text().find("no room left for the database"), std::string::npos);
  EXPECT_EQ(count(), written - 1);
  ASSERT_TRUE(run("DELETE FROM t").ok());
  EXPECT_TRUE(run("INSERT INTO t VALUES (1, 'a')").ok());
}

TEST_F(DbTest, second_process_is_refused) {
  const auto second = open_sqlite(store_.options);
  ASSERT_FALSE(second.ok());
  EXPECT_EQ(second.error().code, ErrorCode::kUnavailable);
  EXPECT_NE(second.error().text().find("another process"), std::string::npos);
}

TEST(Open, says_what_is_wrong_with_the_path) {
  TemporaryStore store;
  store.options.path = store.folder() + "/missing/pool.db";
  EXPECT_EQ(open_sqlite(store.options).error().code, ErrorCode::kNotFound);
  store.options.path = store.folder() + "/text";
  std::ofstream(store.options.path) << std::string(5000, 'x');
  const auto opened = open_sqlite(store.options);
  ASSERT_FALSE(opened.ok());
  EXPECT_EQ(opened.error().code, ErrorCode::kCorrupt);
  EXPECT_NE(opened.error().text().find("[store] path"), std::string::npos);
}

TEST(Migrate, applies_each_once_and_finds_changed_and_newer_ones) {
  TemporaryStore store;
  store.open();
  const std::vector<Migration> all = migrations();
  ASSERT_FALSE(all.empty());
  EXPECT_EQ(*migrate(*store.db, all, UnixTime()), 0);

  std::vector<Migration> more = all;
  more.push_back({static_cast<int>(all.size()) + 1, "9_more", "CREATE TABLE more (a INTEGER)"});
  EXPECT_EQ(*migrate(*store.db, more, UnixTime()), 1);
  EXPECT_EQ(migrate(*store.db, all, UnixTime()).error().code, ErrorCode::kInvalid);
  more.back().sql = "CREATE TABLE more (b INTEGER)";
  EXPECT_EQ(migrate(*store.db, more, UnixTime()).error().code, ErrorCode::kCorrupt);
}

TEST(Migrate, failed_one_leaves_nothing) {
  TemporaryStore store;
  store.open();
  std::vector<Migration> more = migrations();
  more.push_back({static_cast<int>(more.size()) + 1, "9_bad", "CREATE TABLE a (b INTEGER); X"});
  EXPECT_FALSE(migrate(*store.db, more, UnixTime()).ok());
  more.back().sql = "CREATE TABLE a (b INTEGER)";
  EXPECT_EQ(*migrate(*store.db, more, UnixTime()), 1);
}

}  // namespace
}  // namespace timepool::store
