#include "snapshot/snapshot_puller.h"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <filesystem>
#include <thread>

#include "net/http_server.h"
#include "snapshot/snapshot_feed.h"
#include "sys/temporary_directory.h"

namespace timepool::snapshot {
namespace {

using Clock = std::chrono::steady_clock;

TEST(SourceChoice, prefers_the_first_that_does_not_rest) {
  SourceChoice choice(3, Duration::seconds(1), Duration::seconds(60), 1);
  const MonoTime start = MonoTime::from_ns(1'000'000'000'000);
  EXPECT_EQ(choice.choose(start), 0u);
  choice.failed(0, start);
  EXPECT_EQ(choice.choose(start), 1u);
  choice.failed(1, start);
  choice.failed(2, start);
  EXPECT_EQ(choice.choose(start), std::nullopt);
  EXPECT_GE(choice.ready_at(), start + Duration::milliseconds(500));
  EXPECT_LE(choice.ready_at(), start + Duration::seconds(1));
  EXPECT_EQ(choice.choose(start + Duration::seconds(1)), 0u);
}

TEST(SourceChoice, rests_double_up_to_the_longest_and_start_over_after_success) {
  SourceChoice choice(1, Duration::seconds(1), Duration::seconds(60), 2);
  MonoTime now = MonoTime::from_ns(1'000'000'000'000);
  std::int64_t expected = 1;
  for (int i = 0; i < 40; ++i) {
    choice.failed(0, now);
    EXPECT_GE(choice.ready_at() - now, Duration::seconds(expected) / 2) << i;
    EXPECT_LE(choice.ready_at() - now, Duration::seconds(expected)) << i;
    now = choice.ready_at();
    expected = std::min<std::int64_t>(expected * 2, 60);
  }
  choice.succeeded(0);
  EXPECT_EQ(choice.choose(now), 0u);
  choice.failed(0, now);
  EXPECT_LE(choice.ready_at() - now, Duration::seconds(1));
}

TEST(SourceChoice, jitter_differs_by_seed) {
  const MonoTime now = MonoTime::from_ns(1'000'000'000'000);
  SourceChoice a(1, Duration::seconds(1), Duration::seconds(60), 1);
  SourceChoice b(1, Duration::seconds(1), Duration::seconds(60), 2);
  a.failed(0, now);
  b.failed(0, now);
  EXPECT_NE(a.ready_at(), b.ready_at());
}

// A manager in this process.
class Manager {
 public:
  explicit Manager(std::uint16_t port = 0) {
    feed_.add_routes(router_);
    start(port);
  }
  void start(std::uint16_t port) {
    net::HttpServerOptions options;
    options.listen.push_back({"listen", {IpAddress::v4(0x7f000001), port}, ""});
    auto started = net::HttpServer::start(router_, options);
    ASSERT_TRUE(started.ok()) << started.error().text();
    server_ = std::move(started).value();
  }
  void stop() { server_.reset(); }
  std::string url() const { return "http://" + format(server_->endpoints().at(0)); }
  std::uint16_t port() const { return server_->endpoints().at(0).port; }
  SnapshotFeed& feed() { return feed_; }
  std::uint64_t waiting() const { return server_->counters().waiting; }
  std::uint64_t requests() const { return server_->counters().requests; }

 private:
  SnapshotFeed feed_{{"dns"}};
  net::HttpRouter router_;
  std::unique_ptr<net::HttpServer> server_;
};

class SnapshotPullerTest : public ::testing::Test {
 protected:
  void SetUp() override {
    auto store = SnapshotStore::create(directory_, "dns", 2);
    ASSERT_TRUE(store.ok());
    store_ = std::make_unique<SnapshotStore>(*store);
    options_.public_keys = {key_.public_key()};
    options_.urls = {manager_.url()};
    options_.wait = Duration::seconds(30);
    options_.first_rest = Duration::milliseconds(50);
    options_.longest_rest = Duration::milliseconds(200);
    options_.min_interval = Duration::milliseconds(50);
  }

  static crypto::SigningKey key_of(unsigned char fill) {
    crypto::SigningKey::Seed seed;
    seed.fill(std::byte{fill});
    return crypto::SigningKey::from_seed(seed);
  }
  std::string file(std::uint64_t serial) {
    return *seal("payload " + std::to_string(serial), serial, UnixTime::from_seconds(1'795'262'400),
                 key_);
  }
  void publish(std::uint64_t serial) { manager_.feed().publish("dns", serial, file(serial)); }
  SnapshotPuller& puller(const std::optional<Snapshot>& held = std::nullopt) {
    puller_ = std::make_unique<SnapshotPuller>(
        options_, store_.get(), held, [this](const Snapshot& snapshot) -> Result<void> {
          if (snapshot.serial == refuse_) {
            return fail(Error{ErrorCode::kInvalid, "zone pool.test", "does not load"});
          }
          EXPECT_EQ(snapshot.payload, "payload " + std::to_string(snapshot.serial));
          taken_ = snapshot.serial;
          return {};
        });
    return *puller_;
  }
  bool eventually(const std::function<bool()>& condition) {
    for (int i = 0; i < 1000; ++i) {
      if (condition()) return true;
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    return false;
  }

  crypto::SigningKey key_ = key_of(9);
  Manager manager_;
  sys::TemporaryDirectory temporary_;
  std::string directory_ = temporary_.path() + "/kept";
  std::unique_ptr<SnapshotStore> store_;
  PullerOptions options_;
  std::atomic<std::uint64_t> taken_{0};
  std::atomic<std::uint64_t> refuse_{0};
  // Ends first: its thread may be about to save.
  std::unique_ptr<SnapshotPuller> puller_;
};

TEST_F(SnapshotPullerTest, takes_the_first_snapshot_and_each_new_one_at_once) {
  puller().start();
  ASSERT_TRUE(eventually([&] { return manager_.waiting() == 1; }));
  for (std::uint64_t serial = 1; serial <= 5; ++serial) {
    const auto begin = Clock::now();
    publish(serial);
    ASSERT_TRUE(eventually([&] { return taken_ == serial; })) << serial;
    EXPECT_LT(Clock::now() - begin, std::chrono::seconds(1));
    ASSERT_TRUE(eventually([&] { return manager_.waiting() == 1; }));
  }
  const PullerStatus status = puller_->status();
  EXPECT_EQ(status.serial, 5u);
  EXPECT_EQ(status.fetched, 5u);
  EXPECT_EQ(status.failures, 0u);
  EXPECT_EQ(status.last_error, "");
  EXPECT_EQ(status.url, manager_.url());
  EXPECT_TRUE(status.last_contact && status.last_snapshot);
  const auto stored = store_->load(options_.public_keys);
  EXPECT_EQ(stored->snapshot->serial, 5u);
  const auto begin = Clock::now();
  puller_->stop();
  EXPECT_LT(Clock::now() - begin, std::chrono::seconds(2));
}

TEST_F(SnapshotPullerTest, starts_from_what_the_node_holds) {
  publish(7);
  puller(Snapshot{7, UnixTime::from_seconds(1'795'262'400), "payload 7"}).start();
  ASSERT_TRUE(eventually([&] { return manager_.waiting() == 1; }));
  EXPECT_EQ(taken_, 0u);
  publish(8);
  EXPECT_TRUE(eventually([&] { return taken_ == 8; }));
}

TEST_F(SnapshotPullerTest, refuses_an_older_serial) {
  publish(6);
  SnapshotPuller& pull = puller(Snapshot{7, UnixTime::from_seconds(1'795'262'400), "payload 7"});
  pull.step();
  const PullerStatus status = pull.status();
  EXPECT_EQ(status.serial, 7u);
  EXPECT_EQ(taken_, 0u);
  EXPECT_EQ(status.failures, 1u);
  EXPECT_NE(status.last_error.find("snapshot 6: older than 7"), std::string::npos);
  EXPECT_NE(status.last_error.find(manager_.url()), std::string::npos);
  EXPECT_FALSE(store_->load(options_.public_keys)->snapshot);
}

TEST_F(SnapshotPullerTest, refuses_what_a_stranger_signed_or_was_damaged) {
  manager_.feed().publish("dns", 1,
                          *seal("payload 1", 1, UnixTime::from_seconds(1'795'262'400), key_of(8)));
  SnapshotPuller& pull = puller();
  pull.step();
  EXPECT_NE(pull.status().last_error.find("no known key signed it"), std::string::npos);
  manager_.feed().publish("dns", 2, file(2).substr(0, 60));
  std::this_thread::sleep_for(std::chrono::milliseconds(60));
  pull.step();
  EXPECT_NE(pull.status().last_error.find("ends within its header"), std::string::npos);
  EXPECT_EQ(pull.status().serial, 0u);
  EXPECT_EQ(pull.status().failures, 2u);
  publish(3);
  EXPECT_TRUE(eventually([&] {
    pull.step();
    return taken_ == 3;
  }));
  EXPECT_EQ(pull.status().last_error, "");
}

TEST_F(SnapshotPullerTest, keeps_the_one_before_when_the_node_refuses_a_snapshot) {
  publish(1);
  SnapshotPuller& pull = puller();
  pull.step();
  ASSERT_EQ(taken_, 1u);
  refuse_ = 2;
  publish(2);
  pull.step();
  EXPECT_EQ(pull.status().serial, 1u);
  EXPECT_NE(pull.status().last_error.find("zone pool.test: does not load"), std::string::npos);
  EXPECT_EQ(store_->load(options_.public_keys)->snapshot->serial, 1u);
  publish(3);
  EXPECT_TRUE(eventually([&] {
    pull.step();
    return taken_ == 3;
  }));
}

TEST_F(SnapshotPullerTest, goes_to_the_next_url_and_back_to_the_preferred_one) {
  Manager preferred;
  const std::uint16_t port = preferred.port();
  options_.urls = {preferred.url(), manager_.url()};
  options_.wait = Duration::seconds(1);
  preferred.stop();
  publish(1);
  puller().start();
  ASSERT_TRUE(eventually([&] { return taken_ == 1; }));
  EXPECT_TRUE(eventually([&] { return puller_->status().url == manager_.url(); }));
  EXPECT_GE(puller_->status().failures, 1u);
  preferred.start(port);
  preferred.feed().publish("dns", 2, file(2));
  EXPECT_TRUE(eventually([&] { return taken_ == 2; }));
  EXPECT_TRUE(eventually([&] { return puller_->status().url == options_.urls[0]; }));
}

TEST_F(SnapshotPullerTest, outlives_its_manager) {
  publish(1);
  puller().start();
  ASSERT_TRUE(eventually([&] { return taken_ == 1 && manager_.waiting() == 1; }));
  const std::uint16_t port = manager_.port();
  manager_.stop();
  ASSERT_TRUE(eventually([&] { return puller_->status().failures >= 2; }));
  EXPECT_EQ(puller_->status().serial, 1u);
  EXPECT_NE(puller_->status().last_error.find("GET http://127.0.0.1:"), std::string::npos);
  manager_.start(port);
  publish(2);
  EXPECT_TRUE(eventually([&] { return taken_ == 2; }));
}

TEST_F(SnapshotPullerTest, does_not_ask_in_a_tight_loop_when_the_server_holds_no_polls) {
  publish(1);
  options_.wait = Duration();
  options_.min_interval = Duration::milliseconds(100);
  puller().start();
  ASSERT_TRUE(eventually([&] { return taken_ == 1; }));
  std::this_thread::sleep_for(std::chrono::milliseconds(500));
  puller_->stop();
  EXPECT_GE(manager_.requests(), 3u);
  EXPECT_LE(manager_.requests(), 8u);
}

TEST_F(SnapshotPullerTest, says_when_the_snapshot_in_use_is_not_on_disk) {
  publish(1);
  SnapshotPuller& pull = puller();
  std::filesystem::remove_all(directory_);
  pull.step();
  EXPECT_EQ(taken_, 1u);
  EXPECT_EQ(pull.status().serial, 1u);
  EXPECT_TRUE(pull.status().last_error.starts_with("the snapshot in use is not on disk: "));
}

TEST_F(SnapshotPullerTest, saves_the_snapshot_once_there_is_room_and_tells_both_once) {
  publish(1);
  std::vector<std::string> told;
  options_.tell = [&told](bool fault, const std::string& text) {
    told.push_back((fault ? "fault: " : "end: ") + text);
  };
  options_.wait = Duration();
  SnapshotPuller& pull = puller();
  std::filesystem::remove_all(directory_);
  pull.step();
  pull.step();
  EXPECT_EQ(told.size(), 1u);
  std::filesystem::create_directory(directory_);
  pull.step();
  ASSERT_EQ(told.size(), 2u);
  EXPECT_EQ(told[1], "end: snapshot 1 is on disk");
  EXPECT_EQ(pull.status().last_error, "");
  EXPECT_FALSE(std::filesystem::is_empty(directory_));
}

TEST_F(SnapshotPullerTest, tells_a_manager_that_does_not_answer_once_and_its_return) {
  std::vector<std::string> told;
  options_.tell = [&told](bool fault, const std::string& text) {
    told.push_back((fault ? "fault: " : "end: ") + text);
  };
  options_.first_rest = options_.longest_rest = Duration::nanoseconds(1);
  options_.wait = Duration();
  SnapshotPuller& pull = puller();
  pull.step();
  pull.step();
  ASSERT_EQ(told.size(), 1u);  // 404: nothing is published
  EXPECT_TRUE(told[0].starts_with("fault: GET http://127.0.0.1:")) << told[0];
  publish(1);
  pull.step();
  ASSERT_EQ(told.size(), 2u);
  EXPECT_TRUE(told[1].ends_with(" answers again")) << told[1];
}

TEST_F(SnapshotPullerTest, the_feed_answers_404_for_no_channel_and_no_snapshot) {
  net::HttpFetch fetch;
  fetch.url = manager_.url() + "/v1/snapshot/web";
  EXPECT_EQ(net::fetch(fetch)->status, 404);
  fetch.url = manager_.url() + "/v1/snapshot/dns";
  EXPECT_EQ(net::fetch(fetch)->status, 404);
  publish(4);
  auto response = net::fetch(fetch);
  EXPECT_EQ(response->status, 200);
  EXPECT_EQ(response->headers.value("ETag"), "\"4\"");
  EXPECT_EQ(response->body, file(4));
  fetch.headers.add("If-None-Match", "\"4\"");
  response = net::fetch(fetch);
  EXPECT_EQ(response->status, 304);
  EXPECT_EQ(response->body, "");
  EXPECT_EQ(response->headers.value("ETag"), "\"4\"");
}

}  // namespace
}  // namespace timepool::snapshot
