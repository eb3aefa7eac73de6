#include "service/handed_out.h"

#include <gtest/gtest.h>

#include "service/housekeeping.h"
#include "store/handed_out.h"
#include "store/migration.h"
#include "store/servers.h"
#include "store/temporary_store.h"

namespace timepool::service {
namespace {

class HandedOutTest : public testing::Test {
 protected:
  void SetUp() override {
    store_.open();
    ASSERT_TRUE(store::migrate(*store_.db, store::migrations(), now_).ok());
    for (const char* address : {"192.0.2.1", "192.0.2.2"}) {
      const auto insert = [&](store::Tx& tx) -> Result<void> {
        store::Server server;
        server.address = parse_ip(address).value();
        server.created = now_;
        return store::insert_server(tx, server);
      };
      ASSERT_TRUE(store_.db->write(insert).ok());
    }
  }
  Result<std::string> take(const std::string& key, const std::string& body,
                           std::vector<std::pair<const char*, std::int64_t>> counts) {
    HandedOutBatch batch{key, body, {}};
    for (const auto& [address, count] : counts) {
      batch.counts.push_back({"pool.test.", parse_ip(address).value(), count});
    }
    return handed_out().take(batch);
  }
  HandedOut handed_out() {
    return HandedOut(*store_.db, [this] { return now_; });
  }
  std::int64_t count(int days, const char* address) {
    const auto shares = handed_out().shares(days);
    EXPECT_TRUE(shares.ok());
    for (const auto& it : shares->servers) {
      if (it.address == parse_ip(address).value()) return it.count;
    }
    return 0;
  }

  UnixTime now_ = UnixTime::from_seconds(1'800'000'000);
  store::TemporaryStore store_;
};

TEST_F(HandedOutTest, counts_add_up_and_strangers_are_told) {
  EXPECT_EQ(take("a", "1", {{"192.0.2.1", 5}, {"192.0.2.2", 2}, {"198.51.100.1", 9}}).value(),
            "{\"accepted\":2,\"unknown\":1}");
  EXPECT_TRUE(take("b", "2", {{"192.0.2.1", 10}}).ok());
  const auto shares = handed_out().shares(1).value();
  EXPECT_EQ(shares.all, 17);
  ASSERT_EQ(shares.servers.size(), 2U);
  EXPECT_EQ(format(shares.servers[0].address), "192.0.2.1");
  EXPECT_EQ(shares.servers[0].count, 15);
}

TEST_F(HandedOutTest, a_batch_counts_once_however_often_it_is_sent) {
  const auto first = take("key", "body", {{"192.0.2.1", 5}});
  EXPECT_EQ(take("key", "body", {{"192.0.2.1", 5}}).value(), first.value());
  EXPECT_EQ(count(1, "192.0.2.1"), 5);
  EXPECT_EQ(take("key", "other", {{"192.0.2.1", 6}}).error().code, ErrorCode::kExists);
  EXPECT_EQ(count(1, "192.0.2.1"), 5);
  EXPECT_EQ(take("", "body", {}).error().code, ErrorCode::kInvalid);
  EXPECT_EQ(take("a b", "body", {}).error().code, ErrorCode::kInvalid);
}

TEST_F(HandedOutTest, shares_are_of_the_last_days) {
  EXPECT_TRUE(take("a", "1", {{"192.0.2.1", 5}}).ok());
  now_ = now_ + Duration::seconds(86'400);
  EXPECT_TRUE(take("b", "2", {{"192.0.2.1", 7}}).ok());
  EXPECT_EQ(count(1, "192.0.2.1"), 7);
  EXPECT_EQ(count(2, "192.0.2.1"), 12);
}

TEST_F(HandedOutTest, what_is_old_is_forgotten) {
  EXPECT_TRUE(take("a", "1", {{"192.0.2.1", 5}}).ok());
  Settings settings;
  settings.answers_kept = Duration::seconds(3600);
  settings.history_kept = Duration::seconds(10 * 86'400);
  now_ = now_ + Duration::seconds(7200);
  EXPECT_EQ(remove_expired(*store_.db, settings, now_).value(), 1) << "the batch's key";
  EXPECT_EQ(count(100, "192.0.2.1"), 5);
  now_ = now_ + Duration::seconds(12 * 86'400);
  EXPECT_EQ(remove_expired(*store_.db, settings, now_).value(), 1) << "the count";
  EXPECT_EQ(count(100, "192.0.2.1"), 0);
}

}  // namespace
}  // namespace timepool::service
