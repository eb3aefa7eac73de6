#include "monitord/monitor.h"

#include <gtest/gtest.h>
#include <poll.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <set>

#include "monitord/nts_testing.h"
#include "net/http_server.h"
#include "sys/clock.h"
#include "sys/temporary_directory.h"
#include "sys/udp_socket.h"
#include "wire/ntp/header.h"

namespace timepool::monitord {
namespace {

constexpr std::uint32_t kLoopback = 0x7f000001;

// An NTP server on the test's reactor, ahead of the clock by an offset; may also kiss or be silent.
class FakeNtp {
 public:
  enum class Manner { kHonest, kSilent, kKiss, kBogus };

  explicit FakeNtp(net::Reactor& reactor, Duration offset = {}, Manner manner = Manner::kHonest)
      : socket_(sys::UdpSocket::bind({IpAddress::v4(kLoopback), 0}, {}).value()),
        offset_(offset),
        manner_(manner) {
    watch_ = reactor.watch(socket_.fd(), POLLIN, [this](short) { answer(); });
  }
  const Endpoint& endpoint() const { return socket_.local(); }
  int asked() const { return asked_; }

 private:
  void answer() {
    std::array<std::byte, 512> buffer;
    while (true) {
      const auto got = socket_.receive(buffer);
      if (!got.ok() || !*got) return;
      ++asked_;
      if (manner_ == Manner::kSilent) continue;
      ByteReader reader(Bytes(buffer).first((*got)->length));
      const wire::ntp::Header request = wire::ntp::read_header(reader);
      wire::ntp::Header reply;
      reply.version = 4;
      reply.mode = wire::ntp::Mode::kServer;
      reply.stratum = manner_ == Manner::kKiss ? 0 : 2;
      reply.reference_id = wire::ntp::kKissRate;
      reply.precision = -20;
      reply.origin = request.transmit;
      reply.receive = to_ntp(sys::unix_now() + offset_);
      reply.transmit = to_ntp(sys::unix_now() + offset_);
      if (manner_ == Manner::kBogus) reply.receive = to_ntp(sys::unix_now() - Duration::seconds(9));
      std::array<std::byte, 48> out;
      ByteWriter writer(out);
      wire::ntp::write_header(reply, writer);
      static_cast<void>(socket_.send_to(out, (*got)->from, {}));
    }
  }

  sys::UdpSocket socket_;
  Duration offset_;
  Manner manner_;
  int asked_ = 0;
  net::Watch watch_;
};

// A manager that gives each piece of work once and remembers what was posted.
class FakeManager {
 public:
  explicit FakeManager(std::uint16_t port = 0) {
    net::HttpRouter router;
    router.on("GET", "/v1/work", [this](const net::HttpRequest& request) {
      const std::lock_guard lock(mutex_);
      tokens_.insert(std::string(request.bearer_token()));
      return net::http_json(200, std::exchange(work_, R"({"work":[],"interval_ms":100})"));
    });
    router.on("POST", "/v1/results", [this](const net::HttpRequest& request) {
      const std::lock_guard lock(mutex_);
      keys_.emplace_back(request.headers.value("Idempotency-Key"));
      bodies_.push_back(request.body);
      const int status = status_;
      if (status != 200) return net::http_error(status, "unavailable", "told to fail");
      return net::http_json(200, R"({"accepted":1,"rejected":[]})");
    });
    net::HttpServerOptions options;
    options.listen.push_back({"test", {IpAddress::v4(kLoopback), port}, ""});
    server_ = net::HttpServer::start(std::move(router), options).value();
  }
  std::string url() const { return "http://" + format(server_->endpoints().at(0)); }
  std::uint16_t port() const { return server_->endpoints().at(0).port; }
  void set_work(const std::string& work) {
    const std::lock_guard lock(mutex_);
    work_ = work;
  }
  void set_status(int status) { status_ = status; }
  std::vector<std::string> keys() const {
    const std::lock_guard lock(mutex_);
    return keys_;
  }
  std::vector<std::string> bodies() const {
    const std::lock_guard lock(mutex_);
    return bodies_;
  }
  std::set<std::string> tokens() const {
    const std::lock_guard lock(mutex_);
    return tokens_;
  }

 private:
  mutable std::mutex mutex_;
  std::string work_ = R"({"work":[]})";
  std::atomic<int> status_{200};
  std::vector<std::string> keys_;
  std::vector<std::string> bodies_;
  std::set<std::string> tokens_;
  std::unique_ptr<net::HttpServer> server_;
};

class MonitorTest : public ::testing::Test {
 protected:
  MonitorTest() {
    std::ofstream(directory_ + "/token") << "secret\n";
    config_.manager.token_file = directory_ + "/token";
    config_.manager.wait = Duration::seconds(1);
    config_.manager.retry_min = Duration::milliseconds(20);
    config_.manager.retry_max = Duration::milliseconds(100);
    config_.probe.spacing = Duration::milliseconds(20);
    config_.probe.timeout = Duration::milliseconds(100);
    config_.sanity.mode = config::MonitordConfig::SanityMode::kNone;
    config_.report.interval = Duration::milliseconds(20);
    config_.spool.directory = directory_ + "/spool";
    config_.control.socket = directory_ + "/monitord.sock";
  }

  std::unique_ptr<Monitor> start() {
    auto monitor = Monitor::create(config_, reactor_, log_);
    EXPECT_TRUE(monitor.ok()) << (monitor.ok() ? "" : monitor.error().text());
    return std::move(monitor).value();
  }
  // Runs the loop until `done`, at most ten seconds.
  bool run_until(const std::function<bool()>& done) {
    const MonoTime end = sys::mono_now() + Duration::seconds(10);
    while (!done()) {
      if (sys::mono_now() > end) return false;
      reactor_.run_once(Duration::milliseconds(10));
    }
    return true;
  }
  static std::string work_for(const std::vector<const FakeNtp*>& servers, int samples) {
    std::string out;
    for (std::size_t i = 0; i < servers.size(); ++i) {
      out += fmt::format(R"({}{{"server":{},"address":"127.0.0.1","port":{},"samples":{},)"
                         R"("ticket":"t{}"}})",
                         i > 0 ? "," : "", i + 1, servers[i]->endpoint().port, samples, i + 1);
    }
    return R"({"work":[)" + out + "]}";
  }

  sys::TemporaryDirectory temporary_;
  std::string directory_ = temporary_.path();
  config::MonitordConfig config_;
  net::Reactor reactor_;
  sys::Logger log_{"test", sys::LogLevel::kError};
};

std::size_t count_of(const std::string& text, const std::string& part) {
  std::size_t count = 0;
  for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) {
    ++count;
  }
  return count;
}

TEST_F(MonitorTest, reports_every_sample_of_every_server) {
  FakeManager manager;
  const FakeNtp honest(reactor_);
  const FakeNtp silent(reactor_, {}, FakeNtp::Manner::kSilent);
  const FakeNtp kissing(reactor_, {}, FakeNtp::Manner::kKiss);
  const FakeNtp bogus(reactor_, {}, FakeNtp::Manner::kBogus);
  config_.manager.url = manager.url();
  config_.report.max_results = 4;
  config_.report.interval = Duration::seconds(5);
  manager.set_work(work_for({&honest, &silent, &kissing, &bogus}, 3));
  const auto monitor = start();
  ASSERT_TRUE(run_until([&] { return !manager.bodies().empty(); }));
  const std::string body = manager.bodies().at(0);
  EXPECT_EQ(count_of(body, "offset_s"), 3U);
  EXPECT_EQ(count_of(body, R"({"error":"timeout"})"), 3U);
  EXPECT_EQ(count_of(body, R"({"error":"kod","kod":"RATE"})"), 1U) << "a kiss ends the probe";
  EXPECT_EQ(count_of(body, R"({"error":"bogus"})"), 3U);
  EXPECT_EQ(count_of(body, "\"ticket\":\"t"), 4U);
  EXPECT_EQ(kissing.asked(), 1);
  EXPECT_EQ(manager.tokens(), std::set<std::string>{"secret"});
}

TEST_F(MonitorTest, reports_what_a_check_of_nts_found_beside_the_samples) {
  FakeManager manager;
  const FakeNtp honest(reactor_);
  // Its time is not asked for: the member's cookies are no use to the monitor's own algorithms.
  testing::FakeMember member(reactor_, "alice.test");
  member.set_cookies(2);
  const std::string roots = directory_ + "/roots.pem";
  std::ofstream(roots) << member.authority_pem();
  config_.manager.url = manager.url();
  config_.nts.look_up = false;
  config_.nts.trust = {{"test", roots}};
  config_.report.max_results = 3;
  config_.report.interval = Duration::seconds(5);
  const auto item = [&](int server, const char* nts) {
    return fmt::format(
        R"({{"server":{},"address":"127.0.0.1","port":{},"samples":1,"ticket":"t{}"{}}})", server,
        honest.endpoint().port, server, nts);
  };
  const auto nts = [&](const char* trust) {
    return fmt::format(R"(,"nts":{{"name":"alice.test","port":{},"trust":"{}"}})", member.port(),
                       trust);
  };
  manager.set_work(R"({"work":[)" + item(1, "") + "," + item(2, nts("test").c_str()) + "," +
                   item(3, nts("unheard").c_str()) + "]}");
  const auto monitor = start();
  ASSERT_TRUE(run_until([&] { return !manager.bodies().empty(); }));
  const std::string body = manager.bodies().at(0);
  EXPECT_EQ(count_of(body, "offset_s"), 3U) << body;
  EXPECT_EQ(count_of(body, "\"nts\":"), 1U) << "our own fault is not reported";
  EXPECT_EQ(count_of(body, R"("outcome":"too_few_cookies")"), 1U) << body;
  const auto status = monitor->status().at("nts").as_object();
  EXPECT_EQ(status.at("started").to_number<int>(), 2);
  EXPECT_EQ(status.at("void").to_number<int>(), 1);
  EXPECT_EQ(status.at("outcomes").at("too_few_cookies").to_number<int>(), 1);
}

TEST_F(MonitorTest, measures_a_liar) {
  FakeManager manager;
  const FakeNtp liar(reactor_, Duration::milliseconds(400));
  config_.manager.url = manager.url();
  manager.set_work(work_for({&liar}, 1));
  const auto monitor = start();
  ASSERT_TRUE(run_until([&] { return !manager.bodies().empty(); }));
  const std::string body = manager.bodies().at(0);
  const std::size_t at = body.find("offset_s\":");
  ASSERT_NE(at, std::string::npos);
  EXPECT_NEAR(std::stod(body.substr(at + 10)), 0.4, 0.1);
}

TEST_F(MonitorTest, sends_the_same_batch_under_the_same_key_until_it_is_taken) {
  FakeManager manager;
  const FakeNtp honest(reactor_);
  config_.manager.url = manager.url();
  manager.set_status(503);
  manager.set_work(work_for({&honest}, 1));
  const auto monitor = start();
  ASSERT_TRUE(run_until([&] { return manager.keys().size() >= 3; }));
  manager.set_status(200);
  ASSERT_TRUE(
      run_until([&] { return monitor->status().at("spool").at("batches").to_number<int>() == 0; }));
  const auto keys = manager.keys();
  EXPECT_EQ(std::set<std::string>(keys.begin(), keys.end()).size(), 1U);
  EXPECT_EQ(monitor->status().at("results").at("accepted").to_number<int>(), 1);
}

TEST_F(MonitorTest, results_outlive_the_monitor_while_the_manager_is_away) {
  std::uint16_t port = 0;
  const FakeNtp honest(reactor_);
  std::string key;
  {
    FakeManager manager;
    port = manager.port();
    config_.manager.url = manager.url();
    manager.set_status(500);
    manager.set_work(work_for({&honest}, 2));
    const auto monitor = start();
    ASSERT_TRUE(run_until([&] { return !manager.keys().empty(); }));
    key = manager.keys().at(0);
  }
  FakeManager manager(port);
  const auto monitor = start();
  ASSERT_TRUE(run_until([&] { return !manager.keys().empty(); }));
  EXPECT_EQ(manager.keys().at(0), key);
  EXPECT_EQ(count_of(manager.bodies().at(0), "offset_s"), 2U);
}

TEST_F(MonitorTest, gives_up_a_batch_that_will_never_do) {
  FakeManager manager;
  const FakeNtp honest(reactor_);
  config_.manager.url = manager.url();
  manager.set_status(422);
  manager.set_work(work_for({&honest}, 1));
  log_.set_level(sys::LogLevel::kError);
  const auto monitor = start();
  ASSERT_TRUE(run_until(
      [&] { return monitor->status().at("results").at("refused_batches").to_number<int>() == 1; }));
  ASSERT_TRUE(
      run_until([&] { return monitor->status().at("spool").at("batches").to_number<int>() == 0; }));
}

TEST_F(MonitorTest, takes_no_work_while_its_own_clock_is_in_doubt) {
  FakeManager manager;
  FakeNtp reference(reactor_, Duration::milliseconds(50));
  config_.manager.url = manager.url();
  config_.sanity.mode = config::MonitordConfig::SanityMode::kServers;
  config_.sanity.servers = {reference.endpoint()};
  config_.sanity.max_offset = Duration::milliseconds(20);
  config_.sanity.interval = Duration::milliseconds(100);
  const auto monitor = start();
  ASSERT_TRUE(run_until([&] { return reference.asked() >= 6; }));
  EXPECT_FALSE(monitor->status().at("sane").as_bool());
  EXPECT_EQ(monitor->status().at("work").at("requests").to_number<int>(), 0);
}

TEST_F(MonitorTest, takes_work_once_its_clock_is_good) {
  FakeManager manager;
  const FakeNtp reference(reactor_);
  config_.manager.url = manager.url();
  config_.sanity.mode = config::MonitordConfig::SanityMode::kAuto;
  config_.sanity.servers = {reference.endpoint()};
  config_.sanity.max_offset = Duration::milliseconds(100);
  manager.set_work(work_for({&reference}, 1));
  const auto monitor = start();
  ASSERT_TRUE(run_until([&] { return !manager.bodies().empty(); }));
}

TEST_F(MonitorTest, says_which_setting_is_at_fault) {
  config_.spool.directory = "/proc/nowhere";
  const auto spool = Monitor::create(config_, reactor_, log_);
  ASSERT_FALSE(spool.ok());
  EXPECT_NE(spool.error().text().find("[spool] directory"), std::string::npos);
}

}  // namespace
}  // namespace timepool::monitord
