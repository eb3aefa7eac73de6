#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <boost/json/array.hpp>
#include <filesystem>
#include <set>

#include "config/dnsd.h"
#include "config/monitord.h"
#include "config/ntpd.h"
#include "config/poold.h"
#include "sys/clock.h"
#include "sys/file.h"
#include "sys/temporary_directory.h"
#include "sys/udp_socket.h"
#include "up/authority.h"
#include "up/config_files.h"
#include "up/directory.h"
#include "up/ports.h"
#include "up/supervisor.h"

namespace timepool::up {
namespace {

namespace fs = std::filesystem;
namespace json = boost::json;

constexpr std::uint32_t kLoopback = 0x7f000001;

Plan small_plan() {
  Plan plan;
  plan.directory = "/tmp/a pool";
  plan.http = {IpAddress::v4(kLoopback), 8080};
  plan.dns = {IpAddress::v4(kLoopback), 5300};
  plan.ntp_port = 11123;
  plan.servers = plan_servers(6, true, false);
  plan.geoip = "/tmp/country.mmdb";
  return plan;
}

Plan plan_with_nts() {
  Plan plan = small_plan();
  plan.servers = plan_servers(6, true, true);
  // Nothing listens on port 9.
  plan.nts = NtsPlan{"/bin/pebble", 11443, 9, 11080, 11460};
  return plan;
}

template <class T>
T parsed(const config::Schema<T>& schema, const std::string& toml) {
  const auto config = config::parse(schema, {{"made.toml", toml}});
  EXPECT_TRUE(config.ok()) << config::format(config.error());
  return config.ok() ? *config : T{};
}

TEST(Plan, has_good_servers_with_different_netspeeds_a_liar_and_a_dead_one) {
  const std::vector<PlannedServer> servers = plan_servers(6, true, false);
  ASSERT_EQ(servers.size(), 9U);
  std::set<std::uint64_t> netspeeds;
  std::set<std::string> addresses;
  for (const PlannedServer& server : servers) {
    EXPECT_TRUE(server.address.is_loopback());
    EXPECT_EQ(server.name.empty(), server.role == Role::kDead);
    EXPECT_EQ(server.lie == Duration::milliseconds(400), server.role == Role::kLiar);
    netspeeds.insert(server.netspeed);
    addresses.insert(format(server.address));
  }
  EXPECT_EQ(addresses.size(), 9U);
  EXPECT_GE(netspeeds.size(), 4U);
  EXPECT_EQ(plan_servers(Plan::kMaxServers, false, true).size(), 102U);
}

TEST(ConfigFiles, are_what_the_programs_take) {
  const Plan plan = small_plan();
  const auto poold = parsed(config::poold_schema(), poold_toml(plan));
  EXPECT_EQ(poold.monitors.ntp_port, 11123);
  EXPECT_TRUE(poold.servers.allow_private);
  const auto dnsd = parsed(config::dnsd_schema(), dnsd_toml(plan, std::string(64, 'a')));
  EXPECT_EQ(dnsd.snapshot.urls, std::vector<std::string>{"http://127.0.0.1:8080"});
  for (const PlannedServer& server : plan.servers) {
    if (server.name.empty()) continue;
    const auto ntpd = parsed(config::ntpd_schema(), ntpd_toml(plan, server));
    EXPECT_EQ(ntpd.server->test.offset, server.lie);
  }
  const auto client = parsed(config::ntpd_schema(), client_toml(plan));
  EXPECT_EQ(client.sources.pools.at(0).address, "pool.test");
  EXPECT_FALSE(client.server);
  const auto monitord = parsed(config::monitord_schema(), monitord_toml(plan, 1));
  EXPECT_EQ(monitord.sanity.servers.size(), 5U);
  EXPECT_EQ(monitord.control.socket, "/tmp/a pool/run/monitor-1.sock");
}

TEST(ConfigFiles, of_a_pool_with_nts_are_what_the_programs_take) {
  const Plan plan = plan_with_nts();
  EXPECT_EQ(parsed(config::poold_schema(), poold_toml(plan)).nts.trust, "up");
  const auto dnsd = parsed(config::dnsd_schema(), dnsd_toml(plan, std::string(64, 'a')));
  EXPECT_EQ(dnsd.dnssec.zones.at(0).name, "pool.test");
  std::vector<std::string> names;
  for (const PlannedServer& server : plan.servers) {
    if (server.name.empty()) continue;
    const auto ntpd = parsed(config::ntpd_schema(), ntpd_toml(plan, server));
    EXPECT_EQ(ntpd.nts.acme.has_value(), !server.nts_name.empty());
    EXPECT_EQ(ntpd.nts.server.has_value(), !server.nts_name.empty());
    if (ntpd.nts.acme) names.push_back(ntpd.nts.acme->names.at(0));
  }
  EXPECT_EQ(names, (std::vector<std::string>{"alice.m.pool.test", "bob.m.pool.test",
                                             "carol.m.pool.test"}));
  const auto client = parsed(config::ntpd_schema(), nts_client_toml(plan));
  EXPECT_EQ(client.sources.pools.at(0).nts, config::NtsUse::kSrv);
  EXPECT_EQ(client.nts.srv->trust_anchors, std::vector<std::string>{"/tmp/a pool/anchor.ds"});
  const auto monitord = parsed(config::monitord_schema(), monitord_toml(plan, 1));
  EXPECT_EQ(monitord.nts.trust.at(0).file, "/tmp/a pool/roots.pem");
}

TEST(Authority, a_program_that_was_given_must_be_there) {
  EXPECT_EQ(find_pebble("/nonexistent/pebble").error().code, ErrorCode::kNotFound);
  EXPECT_EQ(find_pebble("/bin/sh").value(), "/bin/sh");
}

TEST(Authority, keeps_its_certificate_from_one_run_to_the_next) {
  const sys::TemporaryDirectory directory;
  Plan plan = plan_with_nts();
  plan.directory = directory.path();
  ASSERT_TRUE(write_authority_files(plan).ok());
  const auto first = sys::read_file(plan.authority_file(), 10'000);
  ASSERT_TRUE(write_authority_files(plan).ok());
  EXPECT_EQ(sys::read_file(plan.authority_file(), 10'000).value(), first.value());
  const auto settings = sys::read_file(plan.path("authority.json"), 10'000);
  EXPECT_NE(settings->find("\"httpPort\":11080"), std::string::npos);
  EXPECT_FALSE(keep_root(plan, Duration::milliseconds(200)).ok());
}

TEST(Ports, a_port_in_use_names_the_option) {
  // An address of its own: on the usual one another program may have the port by TCP.
  const IpAddress loopback = IpAddress::v4(kLoopback + 0x5d0b0);
  const auto taken = sys::UdpSocket::bind({loopback, 0}, {});
  ASSERT_TRUE(taken.ok());
  const auto port = free_port({loopback}, taken->local().port, Transport::kUdp, "--dns ADDR:PORT");
  ASSERT_FALSE(port.ok());
  EXPECT_NE(port.error().text().find("--dns ADDR:PORT"), std::string::npos);
  EXPECT_TRUE(free_port({loopback}, taken->local().port, Transport::kTcp, "x").ok());
}

TEST(Ports, zero_finds_one_that_all_addresses_have_free) {
  const std::vector<IpAddress> addresses = {IpAddress::v4(kLoopback), IpAddress::v4(kLoopback + 1)};
  const auto port = free_port(addresses, 0, Transport::kBoth, "x");
  ASSERT_TRUE(port.ok());
  EXPECT_NE(*port, 0);
  EXPECT_FALSE(free_port({parse_ip("192.0.2.1").value()}, 0, Transport::kUdp, "x").ok());
}

TEST(PoolDirectory, is_locked_and_a_temporary_one_goes_away) {
  std::string temporary;
  {
    const auto directory = PoolDirectory::open(std::nullopt);
    ASSERT_TRUE(directory.ok());
    temporary = directory->path();
    EXPECT_TRUE(fs::is_directory(temporary + "/log"));
    const auto second = PoolDirectory::open(temporary);
    ASSERT_FALSE(second.ok());
    EXPECT_NE(second.error().text().find("another"), std::string::npos);
  }
  EXPECT_FALSE(fs::exists(temporary));
  EXPECT_FALSE(PoolDirectory::open("/tmp/" + std::string(90, 'x')).ok());
  fs::remove_all("/tmp/" + std::string(90, 'x'));
}

// Remembers events.
class TestDisplay : public Display {
 public:
  void event(std::string_view kind, const json::object& details) override {
    events.emplace_back(kind, details);
  }
  void state(const PoolState&, Duration) override {}
  void summary(const json::object&) override {}
  std::size_t count(std::string_view kind) const {
    return static_cast<std::size_t>(
        std::ranges::count(events, kind, [](const auto& e) { return std::string_view(e.first); }));
  }

  std::vector<std::pair<std::string, json::object>> events;
};

class SupervisorTest : public ::testing::Test {
 protected:
  // Ticks until `done` or a failure, at most 15 seconds.
  Result<void> tick_until(Supervisor& supervisor, const std::function<bool()>& done) {
    const MonoTime end = sys::mono_now() + Duration::seconds(15);
    while (!done() && sys::mono_now() < end) {
      TRY(supervisor.tick(sys::mono_now()));
      ::usleep(5000);
    }
    return {};
  }

  sys::TemporaryDirectory temporary_;
  std::string directory_ = temporary_.path();
  TestDisplay display_;
};

TEST_F(SupervisorTest, reports_a_child_that_dies_with_its_last_lines_and_starts_it_again) {
  Supervisor supervisor(directory_, display_);
  ASSERT_TRUE(supervisor.start({"child", {"/bin/sh", "-c", "echo hello; sleep 60"}, {}}).ok());
  ASSERT_TRUE(supervisor.runs("child"));
  ::usleep(200'000);
  const auto pid = static_cast<pid_t>(display_.events.at(0).second.at("pid").to_number<int>());
  ASSERT_EQ(::kill(pid, SIGKILL), 0);
  ASSERT_TRUE(tick_until(supervisor, [&] { return display_.count("started") == 2; }).ok());
  ASSERT_EQ(display_.count("exited"), 1U);
  const json::object& exited = display_.events.at(1).second;
  EXPECT_EQ(exited.at("how").as_string(), "killed by signal 9 (Killed)");
  EXPECT_EQ(exited.at("last_lines").as_array().at(0).as_string(), "hello");
}

TEST_F(SupervisorTest, gives_up_on_a_child_that_fails_at_once_three_times) {
  Supervisor supervisor(directory_, display_);
  ASSERT_TRUE(supervisor.start({"bad", {"/bin/sh", "-c", "echo no port >&2; exit 3"}, {}}).ok());
  const auto done = tick_until(supervisor, [] { return false; });
  ASSERT_FALSE(done.ok());
  EXPECT_NE(done.error().text().find("exit status 3"), std::string::npos);
  EXPECT_NE(done.error().text().find("no port"), std::string::npos);
  EXPECT_EQ(display_.count("started"), 3U);
}

TEST_F(SupervisorTest, says_that_a_program_is_missing) {
  Supervisor supervisor(directory_, display_);
  EXPECT_FALSE(supervisor.start({"none", {directory_ + "/none"}, {}}).ok());
}

TEST_F(SupervisorTest, ends_children_that_are_stopped_or_deaf) {
  std::vector<pid_t> pids;
  {
    Supervisor supervisor(directory_, display_);
    ASSERT_TRUE(supervisor.start({"stopped", {"/bin/sleep", "60"}, {}}).ok());
    for (const auto& [kind, details] : display_.events) {
      pids.push_back(static_cast<pid_t>(details.at("pid").to_number<int>()));
    }
    ASSERT_EQ(::kill(pids.at(0), SIGSTOP), 0);
  }
  for (const pid_t pid : pids) EXPECT_NE(::kill(pid, 0), 0);
}

}  // namespace
}  // namespace timepool::up
