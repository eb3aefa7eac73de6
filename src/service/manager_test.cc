#include "service/manager.h"

#include <gtest/gtest.h>

#include <fmt/format.h>

#include <chrono>
#include <thread>

#include "net/http_testing.h"
#include "service/housekeeping.h"
#include "snapshot/seal.h"
#include "store/temporary_store.h"

namespace timepool::service {
namespace {

using namespace std::chrono_literals;

crypto::SigningKey test_key(std::uint8_t first) {
  crypto::SigningKey::Seed seed{};
  seed[0] = std::byte{first};
  return crypto::SigningKey::from_seed(seed);
}

class ManagerTest : public testing::Test {
 protected:
  void SetUp() override {
    config_.servers.allow_private = true;
    config_.zones.name_servers = {"ns1.pool.test"};
    // Publishing is done by hand here.
    config_.publish.min_interval = Duration::seconds(3600);
    start(1);
    auto added = manager_->registry().add_monitor("m1", "");
    ASSERT_TRUE(added.ok());
    monitor_ = added->monitor;
    token_ = added->token;
  }
  void start(std::uint8_t key) {
    manager_.reset();
    store_.db.reset();
    store_.open();
    ManagerParts parts;
    parts.country_of = [](const IpAddress& address) {
      return std::string(address.is_loopback() ? "de" : "");
    };
    parts.unix_now = [this] { return now_; };
    parts.mono_now = [this] { return mono_; };
    auto created = Manager::create(std::move(store_.db), settings_of(config_), test_key(key),
                                   std::move(parts), log_);
    ASSERT_TRUE(created.ok()) << created.error().text();
    manager_ = std::move(*created);
  }
  void advance(Duration by) {
    now_ = now_ + by;
    mono_ = mono_ + by;
  }
  ServerView add(const std::string& address) {
    auto added = manager_->registry().add_server({address, "", "", std::nullopt});
    EXPECT_TRUE(added.ok());
    return added.value();
  }
  ReportedResult report(const WorkItem& item, double offset, bool answered = true) {
    ReportedResult out;
    out.server = item.server;
    out.ticket = item.ticket;
    out.time = now_;
    for (std::uint32_t i = 0; i < item.samples; ++i) {
      ReportedSample sample;
      sample.sample.error = answered ? pool::SampleError::kNone : pool::SampleError::kTimeout;
      sample.sample.offset_s = offset;
      sample.sample.rtt_s = 0.01;
      sample.sample.stratum = 2;
      sample.entry.error = answered ? "" : "timeout";
      out.samples.push_back(sample);
    }
    return out;
  }
  std::vector<WorkItem> work() {
    auto found = manager_->intake().work_for(monitor_, mono_);
    EXPECT_TRUE(found.ok());
    return found.value().items;
  }
  // One round of checks, all servers answering with `offset`.
  void check_all(double offset, bool answered = true) {
    Batch batch;
    for (const WorkItem& item : work()) batch.results.push_back(report(item, offset, answered));
    batch.key = fmt::format("key-{}", ++keys_);
    batch.body = batch.key;
    const auto answer = manager_->intake().take_results(monitor_, batch);
    ASSERT_TRUE(answer.ok()) << answer.error().text();
    EXPECT_EQ(*answer, fmt::format("{{\"accepted\":{},\"rejected\":[]}}", batch.results.size()));
    advance(Duration::seconds(600));
  }
  double score(const std::string& address) {
    return manager_->registry().server(address, 10)->view.server.score;
  }

  config::PooldConfig config_;
  UnixTime now_ = UnixTime::from_seconds(1'800'000'000);
  MonoTime mono_ = MonoTime::from_ns(77'000'000'000);
  sys::Logger log_{"test", sys::LogLevel::kError};
  store::TemporaryStore store_;
  std::unique_ptr<Manager> manager_;
  store::Monitor monitor_;
  std::string token_;
  int keys_ = 0;
};

TEST(Settings, defaults_of_the_configuration_are_those_of_the_rules) {
  const Settings settings = settings_of(config::PooldConfig());
  const pool::ScoreSettings pool;
  EXPECT_EQ(settings.scoring.decay, pool.decay);
  EXPECT_EQ(settings.scoring.deny_cap, pool.deny_cap);
  EXPECT_EQ(settings.scoring.other_kiss_cap, pool.other_kiss_cap);
  EXPECT_EQ(settings.scoring.candidate_window, pool.candidate_window);
  // The table as a whole: every kind of check gets the same step.
  for (int i = 0; i < 4000; ++i) {
    pool::CheckSummary check;
    check.best.error = i < 5 ? static_cast<pool::SampleError>(i) : pool::SampleError::kNone;
    check.best.kiss = static_cast<pool::KissCode>(i % 4);
    check.best.offset_s = i * 0.001;
    check.best.stratum = static_cast<std::uint8_t>(i % 16);
    const pool::Step a = pool::step_of(check, settings.scoring);
    const pool::Step b = pool::step_of(check, pool);
    ASSERT_EQ(a.value, b.value) << i;
    ASSERT_EQ(a.cap, b.cap) << i;
    ASSERT_EQ(pool::next_score(30, a, settings.scoring), pool::next_score(30, b, pool));
  }
  EXPECT_EQ(settings.zone.ttl, pool::ZoneSettings().ttl);
  EXPECT_EQ(settings.zone.min_score, pool::ZoneSettings().min_score);
  EXPECT_EQ(settings.zone.min_per_number, pool::ZoneSettings().min_per_number);
}

TEST_F(ManagerTest, registers_changes_and_removes_a_server) {
  const ServerView added = add("127.0.0.1");
  EXPECT_EQ(added.server.country, "de");
  EXPECT_EQ(added.zones, (std::vector<std::string>{"de", "europe", "@"}));
  EXPECT_EQ(added.server.netspeed, 10'000u);
  EXPECT_FALSE(added.in_dns);
  Registry& registry = manager_->registry();
  EXPECT_EQ(registry.add_server({"127.0.0.1", "", "", {}}).error().code, ErrorCode::kExists);
  EXPECT_EQ(registry.add_server({"::ffff:127.0.0.1", "", "", {}}).error().code, ErrorCode::kExists);
  ServerChange change;
  change.netspeed = 0;
  change.country = "UK";
  EXPECT_EQ(registry.change_server("127.0.0.1", change)->server.country, "gb");
  EXPECT_EQ(registry.server("127.0.0.1", 1)->view.reason, "no_netspeed");
  change.netspeed = 4'000'000'000;
  EXPECT_EQ(registry.change_server("127.0.0.1", change).error().operation, "netspeed");
  EXPECT_TRUE(registry.remove_server("127.0.0.1").ok());
  EXPECT_EQ(registry.remove_server("127.0.0.1").error().code, ErrorCode::kNotFound);
  EXPECT_EQ(registry.change_server("127.0.0.1", {}).error().code, ErrorCode::kNotFound);
  EXPECT_TRUE(registry.servers()->empty());
}

TEST_F(ManagerTest, refuses_what_is_not_a_servers_address) {
  Registry& registry = manager_->registry();
  for (const char* address :
       {"", "x", "127.0.0.1:123", "0.0.0.0", "::", "224.0.0.1", "ff02::1", "255.255.255.255"}) {
    const auto added = registry.add_server({address, "", "", {}});
    ASSERT_FALSE(added.ok()) << address;
    EXPECT_EQ(added.error().operation, "address") << address;
  }
  EXPECT_EQ(registry.add_server({"8.8.8.8", "a b", "", {}}).error().operation, "hostname");
  EXPECT_EQ(registry.add_server({"8.8.8.8", "", "xx", {}}).error().operation, "country");
  config_.servers.allow_private = false;
  start(1);
  for (const char* address :
       {"127.0.0.1", "10.0.0.1", "192.168.1.1", "::1", "fe80::1", "fc00::1"}) {
    const auto added = manager_->registry().add_server({address, "", "", {}});
    ASSERT_FALSE(added.ok()) << address;
    EXPECT_NE(added.error().detail.find("not a public address"), std::string::npos);
  }
  EXPECT_TRUE(manager_->registry().add_server({"8.8.8.8", "", "", {}}).ok());
}

TEST_F(ManagerTest, keeps_only_the_hash_of_a_monitors_token) {
  EXPECT_EQ((*manager_->monitor_of_token(token_))->id, monitor_.id);
  EXPECT_FALSE(manager_->monitor_of_token("")->has_value());
  EXPECT_FALSE(manager_->monitor_of_token(token_ + "0")->has_value());
  EXPECT_EQ(manager_->registry().add_monitor("m1", "").error().code, ErrorCode::kExists);
  EXPECT_EQ(manager_->registry().add_monitor("m 1", "").error().operation, "name");
  std::string all;
  const auto dump = [&](store::Tx& tx) -> Result<void> {
    TRY(tx.run("SELECT * FROM monitors", {}, [&](const store::Row& row) {
      for (int i = 0; i < 7; ++i) all += row.text(i);
    }));
    return {};
  };
  ASSERT_TRUE(manager_->db().read(dump).ok());
  EXPECT_EQ(all.find(token_), std::string::npos);
}

TEST_F(ManagerTest, good_server_gets_into_dns_after_fourteen_checks_and_a_dead_one_out) {
  add("127.0.0.1");
  for (int i = 0; i < 13; ++i) check_all(0.001);
  EXPECT_LT(score("127.0.0.1"), 10);
  EXPECT_FALSE(manager_->publisher().publish().value());
  check_all(0.001);
  EXPECT_GE(score("127.0.0.1"), 10);
  const std::uint64_t before = manager_->publisher().current()->serial;
  EXPECT_TRUE(manager_->publisher().publish().value());
  EXPECT_GT(manager_->publisher().current()->serial, before);
  EXPECT_FALSE(manager_->publisher().publish().value());
  for (int i = 0; i < 30; ++i) check_all(0.001);
  EXPECT_FALSE(manager_->publisher().publish().value());
  check_all(0, false);
  check_all(0, false);
  EXPECT_LT(score("127.0.0.1"), 10);
  EXPECT_EQ(manager_->registry().server("127.0.0.1", 1)->view.reason, "low_score: timeout");
  EXPECT_TRUE(manager_->publisher().publish().value());
}

TEST_F(ManagerTest, history_has_every_check_with_all_samples) {
  add("127.0.0.1");
  check_all(0.002);
  check_all(0, false);
  store::HistoryQuery query;
  query.of = store::HistoryQuery::Of::kAll;
  const auto history = manager_->history("127.0.0.1", query);
  ASSERT_TRUE(history.ok());
  ASSERT_EQ(history->entries.size(), 4u);
  EXPECT_EQ(history->entries[0].monitor_id, monitor_.id);
  EXPECT_EQ(history->entries[0].offset_s, 0.002);
  EXPECT_EQ(history->entries[1].monitor_id, std::nullopt);
  EXPECT_EQ(history->entries[2].lost, 3);
  EXPECT_EQ(history->entries[2].step, -5);
  std::size_t samples = 0;
  const auto count = [&](store::Tx& tx) -> Result<void> {
    samples = TRY(store::list_samples(tx, history->entries[2].id)).size();
    return {};
  };
  ASSERT_TRUE(manager_->db().read(count).ok());
  EXPECT_EQ(samples, 3u);
}

TEST_F(ManagerTest, same_key_gets_the_same_answer_without_a_second_effect) {
  add("127.0.0.1");
  Batch batch;
  batch.key = "0190-abc";
  batch.body = "body";
  batch.results.push_back(report(work().at(0), 0.001));
  const std::string first = manager_->intake().take_results(monitor_, batch).value();
  const double after = score("127.0.0.1");
  for (int i = 0; i < 3; ++i) {
    start(1);  // the manager may have been restarted in between
    EXPECT_EQ(manager_->intake().take_results(monitor_, batch).value(), first);
    EXPECT_EQ(score("127.0.0.1"), after);
  }
  batch.body = "another body";
  EXPECT_EQ(manager_->intake().take_results(monitor_, batch).error().code, ErrorCode::kExists);
  EXPECT_EQ(manager_->intake().counters().repeated, 1u);
}

TEST_F(ManagerTest, refuses_results_that_were_not_asked_for) {
  add("127.0.0.1");
  add("127.0.0.2");
  const auto items = work();
  ASSERT_EQ(items.size(), 2u);
  Batch batch;
  batch.key = "k1";
  batch.results.push_back(report(items[0], 0));  // taken
  batch.results.push_back(report(items[0], 0));  // used
  batch.results.push_back(report(items[1], 0));  // ticket of another server
  batch.results.back().ticket = items[0].ticket;
  batch.results.push_back(report(items[1], 0));  // malformed
  batch.results.back().ticket = "x";
  batch.results.push_back(report(items[1], 0));  // too early
  batch.results.back().time = now_ - Duration::seconds(3600);
  batch.results.push_back(report(items[1], 0));  // in the future
  batch.results.back().time = now_ + Duration::seconds(3600);
  batch.results.emplace_back().fault = "samples: expected \"one\"";
  const std::string answer = manager_->intake().take_results(monitor_, batch).value();
  EXPECT_EQ(answer,
            R"({"accepted":1,"rejected":[)"
            R"({"index":1,"reason":"ticket: this one or a later one was used already"},)"
            R"({"index":2,"reason":"ticket: not one that this monitor was given for this server"},)"
            R"({"index":3,"reason":"ticket: malformed"},)"
            R"({"index":4,"reason":"time: not between when the check was handed out and now"},)"
            R"({"index":5,"reason":"time: not between when the check was handed out and now"},)"
            R"({"index":6,"reason":"samples: expected \"one\""}]})");

  auto other = manager_->registry().add_monitor("m2", "");
  batch.results = {report(items[1], 0)};
  batch.key = "k2";
  EXPECT_NE(manager_->intake().take_results(other->monitor, batch)->find("not one that this"),
            std::string::npos);
  advance(config_.monitors.ticket_lifetime + Duration::seconds(1));
  EXPECT_NE(manager_->intake().take_results(monitor_, batch)->find("ticket: expired"),
            std::string::npos);
  for (const std::string& key : {std::string(), std::string("a b"), std::string(129, 'k')}) {
    batch.key = key;
    EXPECT_EQ(manager_->intake().take_results(monitor_, batch).error().operation,
              "Idempotency-Key");
  }
}

TEST_F(ManagerTest, result_for_a_removed_server_is_rejected) {
  add("127.0.0.1");
  Batch batch;
  batch.key = "k1";
  batch.results.push_back(report(work().at(0), 0));
  ASSERT_TRUE(manager_->registry().remove_server("127.0.0.1").ok());
  EXPECT_NE(manager_->intake().take_results(monitor_, batch)->find("server: was removed"),
            std::string::npos);
}

TEST_F(ManagerTest, late_result_does_not_hide_a_newer_one) {
  add("127.0.0.1");
  auto other = manager_->registry().add_monitor("m2", "");
  const auto item = work().at(0);
  ReportedResult late = report(item, 0.5);
  advance(Duration::seconds(300));
  Batch batch;
  batch.key = "k1";
  const auto fresh = manager_->intake().work_for(other->monitor, mono_)->items.at(0);
  batch.results.push_back(report(fresh, 0.001));
  ASSERT_TRUE(manager_->intake().take_results(other->monitor, batch).ok());
  batch.results = {late};
  ASSERT_TRUE(manager_->intake().take_results(monitor_, batch).ok());
  const auto server = manager_->registry().server("127.0.0.1", 1)->view.server;
  EXPECT_EQ(server.last_offset_s, 0.001);
}

TEST_F(ManagerTest, schedule_goes_on_over_a_restart) {
  add("127.0.0.1");
  check_all(0.001);  // 600 s pass
  EXPECT_EQ(work().size(), 1u);
  EXPECT_TRUE(work().empty());
  check_all(0.001);
  add("127.0.0.2");
  ASSERT_EQ(work().size(), 2u);
  Batch batch;
  batch.key = "k";
  start(1);
  // 127.0.0.1 was last checked 1200 s ago as the store has it, 127.0.0.2 never.
  EXPECT_EQ(work().size(), 2u);
}

TEST_F(ManagerTest, clock_set_back_does_not_stop_the_scoring) {
  add("127.0.0.1");
  check_all(0.001);
  now_ = now_ - Duration::seconds(86'400);
  check_all(0.001);
  start(1);
  check_all(0.001);
  EXPECT_NEAR(score("127.0.0.1"), 1 + 0.95 + 0.9025, 1e-9);
}

TEST_F(ManagerTest, changes_are_published_soon_and_not_more_often_than_set) {
  config_.publish.min_interval = Duration::milliseconds(100);
  start(1);
  add("127.0.0.1");
  for (int i = 0; i < 14; ++i) check_all(0.001);
  const std::uint64_t before = manager_->publisher().current()->serial;
  const auto changed = [&] { return manager_->publisher().current()->serial != before; };
  for (int i = 0; i < 200 && !changed(); ++i) std::this_thread::sleep_for(10ms);
  std::uint64_t last = manager_->publisher().current()->serial;
  ServerChange change;
  int published = 0;
  const auto start = std::chrono::steady_clock::now();
  for (int i = 0; i < 60; ++i) {
    change.netspeed = static_cast<std::uint32_t>(1000 + i);
    ASSERT_TRUE(manager_->registry().change_server("127.0.0.1", change).ok());
    std::this_thread::sleep_for(5ms);
    const std::uint64_t serial = manager_->publisher().current()->serial;
    published += serial != last ? 1 : 0;
    last = serial;
  }
  // 60 changes in 0.3 s or, on a busy machine, more: at most one snapshot each 100 ms of it.
  const auto took = std::chrono::steady_clock::now() - start;
  EXPECT_GE(published, 1);
  EXPECT_LE(published, took / 100ms + 2);
}

TEST_F(ManagerTest, what_cannot_be_stored_is_counted_and_the_snapshot_of_before_stays) {
  const auto sql = [&](const char* text) {
    return manager_->db().write([text](store::Tx& tx) { return tx.script(text); });
  };
  add("127.0.0.1");
  for (int i = 0; i < 14; ++i) check_all(0.001);
  const std::uint64_t before = manager_->publisher().current()->serial;
  ASSERT_TRUE(sql("CREATE TRIGGER refuse BEFORE UPDATE ON snapshots BEGIN "
                  "SELECT RAISE(ABORT, 'no room'); END")
                  .ok());
  EXPECT_FALSE(manager_->publisher().publish().ok());
  EXPECT_EQ(manager_->publisher().failures(), 1U);
  EXPECT_EQ(manager_->publisher().current()->serial, before);
  ASSERT_TRUE(sql("DROP TRIGGER refuse").ok());
  EXPECT_TRUE(manager_->publisher().publish().value());
  EXPECT_GT(manager_->publisher().current()->serial, before);
  EXPECT_EQ(manager_->publisher().failures(), 1U);
}

TEST_F(ManagerTest, snapshot_opens_with_the_key_and_holds_the_zone) {
  add("127.0.0.1");
  for (int i = 0; i < 14; ++i) check_all(0.001);
  ASSERT_TRUE(manager_->publisher().publish().value());
  net::HttpRouter router;
  manager_->publisher().feed().add_routes(router);
  const net::HttpResponse response = net::answer_of(router, "GET", "/v1/snapshot/dns");
  const std::vector<crypto::PublicKey> keys{test_key(1).public_key()};
  const auto opened = snapshot::open(response.content(), keys);
  ASSERT_TRUE(opened.ok()) << opened.error().text();
  EXPECT_EQ(opened->serial, manager_->publisher().current()->serial);
  const std::string serial = std::to_string(opened->serial);
  EXPECT_EQ(opened->payload.find("{\"format\":1,\"serial\":" + serial +
                                 ",\"zones\":{\"pool.test\":{\"serial\":" + serial + ","),
            0u);
  EXPECT_NE(opened->payload.find(R"("3.de":{"a":[["127.0.0.1",10000]]})"), std::string::npos);
}

TEST_F(ManagerTest, serial_never_goes_back_and_a_new_key_seals_anew) {
  const std::uint64_t first = manager_->publisher().current()->serial;
  EXPECT_GE(first, 1'800'000'000u);
  now_ = UnixTime::from_seconds(1'000'000);  // a clock that lost its date
  start(1);
  EXPECT_EQ(manager_->publisher().current()->serial, first);
  start(2);
  EXPECT_EQ(manager_->publisher().current()->serial, first + 1);
  EXPECT_EQ(manager_->publisher().public_key_hex(), crypto::format(test_key(2).public_key()));
}

TEST_F(ManagerTest, what_is_past_its_time_is_removed) {
  add("127.0.0.1");
  for (int i = 0; i < 20; ++i) check_all(0.001);
  const Settings& settings = manager_->settings();
  EXPECT_EQ(remove_expired(manager_->db(), settings, now_).value(), 0);
  EXPECT_EQ(remove_expired(manager_->db(), settings, now_ + settings.answers_kept).value(), 20);
  EXPECT_EQ(remove_expired(manager_->db(), settings, now_ + settings.history_kept).value(), 40);
}

TEST(Tickets, any_change_is_found) {
  const Tickets tickets("0123456789abcdef0123456789abcdef");
  const UnixTime now = UnixTime::from_seconds(1'800'000'000);
  const Duration hour = Duration::seconds(3600);
  const std::string ticket = tickets.make(7, 9, now);
  EXPECT_EQ(tickets.check(ticket, 7, 9, now, hour).value(), now);
  EXPECT_EQ(tickets.check(ticket, 8, 9, now, hour).error(), TicketFault::kForged);
  EXPECT_EQ(tickets.check(ticket, 7, 8, now, hour).error(), TicketFault::kForged);
  EXPECT_EQ(tickets.check(ticket, 7, 9, now + hour * 2, hour).error(), TicketFault::kExpired);
  EXPECT_FALSE(Tickets("other").check(ticket, 7, 9, now, hour).ok());
  for (std::size_t i = 0; i < ticket.size(); ++i) {
    std::string changed = ticket;
    changed[i] = changed[i] == '1' ? '2' : '1';
    EXPECT_FALSE(tickets.check(changed, 7, 9, now, hour).ok()) << i;
    EXPECT_FALSE(tickets.check(ticket.substr(0, i), 7, 9, now, hour).ok()) << i;
  }
}

}  // namespace
}  // namespace timepool::service
