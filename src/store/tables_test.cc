#include <gtest/gtest.h>

#include "store/history.h"
#include "store/monitors.h"
#include "store/records.h"
#include "store/servers.h"
#include "store/temporary_store.h"

namespace timepool::store {
namespace {

constexpr UnixTime kNow = UnixTime::from_seconds(1'800'000'000);

class Tables : public testing::Test {
 protected:
  void SetUp() override { store_.open(); }
  // Runs `body` in a write transaction; it must not fail.
  template <class Body>
  void with(Body body) {
    const auto done = store_.db->write([&](Tx& tx) -> Result<void> {
      body(tx);
      return {};
    });
    ASSERT_TRUE(done.ok()) << done.error().text();
  }
  Server server(std::uint32_t host) {
    Server out;
    out.address = IpAddress::v4(0x0a000000u + host);
    out.hostname = "a.test";
    out.country = "de";
    out.netspeed = 1000;
    out.created = kNow;
    return out;
  }
  TemporaryStore store_;
};

TEST_F(Tables, server_is_found_as_it_was_put_in) {
  with([&](Tx& tx) {
    Server one = server(1);
    ASSERT_TRUE(insert_server(tx, one).ok());
    EXPECT_EQ(insert_server(tx, one).error().code, ErrorCode::kExists);
    one.score = 12.5;
    one.stratum = 2;
    one.last_offset_s = -0.001;
    one.last_check = kNow;
    one.last_reason = "good";
    ASSERT_TRUE(update_server_score(tx, one).ok());
    one.netspeed = 3000;
    one.in_pool = false;
    ASSERT_TRUE(update_server(tx, one).ok());
    const auto found = find_server(tx, one.address);
    ASSERT_TRUE(found.ok() && found->has_value());
    EXPECT_EQ((*found)->id, one.id);
    EXPECT_EQ((*found)->netspeed, 3000u);
    EXPECT_FALSE((*found)->in_pool);
    EXPECT_EQ((*found)->score, 12.5);
    EXPECT_EQ((*found)->last_offset_s, -0.001);
    EXPECT_EQ((*found)->last_rtt_s, std::nullopt);
    EXPECT_EQ((*found)->last_check, kNow);
  });
}

TEST_F(Tables, removed_server_can_be_registered_again) {
  with([&](Tx& tx) {
    Server one = server(1);
    ASSERT_TRUE(insert_server(tx, one).ok());
    ASSERT_TRUE(remove_server(tx, one.id, kNow).ok());
    EXPECT_TRUE(list_servers(tx)->empty());
    EXPECT_FALSE(find_server(tx, one.address)->has_value());
    Server again = server(1);
    ASSERT_TRUE(insert_server(tx, again).ok());
    EXPECT_NE(again.id, one.id);
  });
}

TEST_F(Tables, monitor_is_found_by_its_token_and_its_pairs_are_replaced) {
  with([&](Tx& tx) {
    Server one = server(1);
    ASSERT_TRUE(insert_server(tx, one).ok());
    Monitor monitor{0, "m1", "", "active", kNow, std::nullopt};
    ASSERT_TRUE(insert_monitor(tx, monitor, "hash").ok());
    EXPECT_EQ(insert_monitor(tx, monitor, "other").error().code, ErrorCode::kExists);
    EXPECT_EQ((*find_monitor_by_token(tx, "hash"))->name, "m1");
    EXPECT_FALSE(find_monitor_by_token(tx, "no")->has_value());
    Pair pair{one.id, monitor.id, 1, kNow, 0.1, std::nullopt, "good", 5};
    ASSERT_TRUE(upsert_pair(tx, pair).ok());
    pair.raw = 1.95;
    ASSERT_TRUE(upsert_pair(tx, pair).ok());
    EXPECT_EQ((*find_pair(tx, one.id, monitor.id))->raw, 1.95);
    EXPECT_EQ(list_pairs_of(tx, one.id)->size(), 1u);
  });
}

TEST_F(Tables, history_is_listed_by_kind_and_expires) {
  with([&](Tx& tx) {
    Server one = server(1);
    ASSERT_TRUE(insert_server(tx, one).ok());
    Monitor monitor{0, "m1", "", "active", kNow, std::nullopt};
    ASSERT_TRUE(insert_monitor(tx, monitor, "hash").ok());
    for (int i = 0; i < 10; ++i) {
      ScoreEntry entry;
      entry.server_id = one.id;
      if (i % 2 == 0) entry.monitor_id = monitor.id;
      entry.time = kNow + Duration::seconds(i);
      entry.score = i;
      entry.reason = "good";
      entry.samples = 1;
      ASSERT_TRUE(insert_score(tx, entry).ok());
      ASSERT_TRUE(
          insert_samples(tx, entry.id, {SampleEntry{"timeout", {}, {}, {}, {}, {}, {}, "", {}}})
              .ok());
      EXPECT_EQ(list_samples(tx, entry.id)->at(0).error, "timeout");
    }
    HistoryQuery query{one.id, HistoryQuery::Of::kServerScore, 0, UnixTime(), 2};
    auto found = list_scores(tx, query);
    ASSERT_EQ(found->size(), 2u);
    EXPECT_EQ(found->at(0).score, 7);
    EXPECT_EQ(found->at(1).score, 9);
    query.of = HistoryQuery::Of::kMonitor;
    query.monitor_id = monitor.id;
    query.since = kNow + Duration::seconds(3);
    found = list_scores(tx, query);
    ASSERT_EQ(found->size(), 2u);
    EXPECT_EQ(found->at(0).score, 4);
    query.of = HistoryQuery::Of::kAll;
    query.since = UnixTime();
    query.limit = 100;
    EXPECT_EQ(list_scores(tx, query)->size(), 10u);

    ASSERT_TRUE(remove_server(tx, one.id, kNow).ok());
    const UnixTime later = kNow + Duration::seconds(100);
    EXPECT_EQ(*expire_history(tx, kNow + Duration::seconds(4), 3), 3);
    EXPECT_EQ(*expire_history(tx, kNow + Duration::seconds(4), 3), 1);
    EXPECT_EQ(*expire_history(tx, later, 100), 6);
    std::int64_t left = -1;
    ASSERT_TRUE(tx.run("SELECT (SELECT count(*) FROM samples) + (SELECT count(*) FROM servers)", {},
                       [&](const Row& row) { left = row.integer(0); })
                    .ok());
    EXPECT_EQ(left, 0);
  });
}

TEST_F(Tables, records_are_kept) {
  with([&](Tx& tx) {
    EXPECT_FALSE(find_meta(tx, "a")->has_value());
    ASSERT_TRUE(set_meta(tx, "a", "1").ok());
    ASSERT_TRUE(set_meta(tx, "a", "2").ok());
    EXPECT_EQ(**find_meta(tx, "a"), "2");
    const std::string body("\0zstd\xff", 6);
    ASSERT_TRUE(set_snapshot(tx, "dns", {7, kNow, "h", "k", body}).ok());
    EXPECT_EQ((*find_snapshot(tx, "dns"))->body, body);
    EXPECT_FALSE(find_snapshot(tx, "other")->has_value());
    Monitor monitor{0, "m1", "", "active", kNow, std::nullopt};
    ASSERT_TRUE(insert_monitor(tx, monitor, "hash").ok());
    ASSERT_TRUE(insert_answer(tx, monitor.id, "key", {"h", "answer"}, kNow).ok());
    EXPECT_EQ((*find_answer(tx, monitor.id, "key"))->answer, "answer");
    EXPECT_EQ(*expire_answers(tx, kNow), 0);
    EXPECT_EQ(*expire_answers(tx, kNow + Duration::seconds(1)), 1);
  });
}

}  // namespace
}  // namespace timepool::store
