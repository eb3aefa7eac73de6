#include "ntpd/time_server.h"

#include <gtest/gtest.h>

#include <array>
#include <fstream>

#include "net/metrics.h"
#include "ntpd/report.h"
#include "sys/clock.h"
#include "sys/temporary_directory.h"

namespace timepool::ntpd {
namespace {

const UnixTime kNow = UnixTime::from_seconds(1'795'000'000);

config::NtpServerConfig local_config() {
  config::NtpServerConfig out;
  out.listen = {{parse_ip("127.0.0.1").value(), 0, 0}};
  config::NtpLocalConfig& local = out.local.emplace();
  local.stratum = 2;
  local.refid = "GPS";
  local.root_dispersion = Duration::milliseconds(3);
  return out;
}

std::array<std::byte, 48> request() {
  std::array<std::byte, 48> out{};
  out[0] = std::byte{0x23};
  return out;
}

TEST(ServerHandler, gives_every_datagram_one_reason) {
  net::Published<ntp::Service> published(std::make_unique<ntp::Service>(
      ntp::Service{ServedState(local_config(), -20).make({MonoTime::from_ns(1), kNow, {}}, {})}));
  ServerHandler handler(published);
  handler.begin_batch();
  std::array<std::byte, 64> reply{};
  sys::Datagram datagram;
  datagram.from = {parse_ip("192.0.2.1").value(), 1234, 0};
  datagram.received = kNow;
  EXPECT_EQ(handler(datagram, request(), reply), 48u);
  handler.finish(0, MutableBytes(reply).first(48), kNow);
  handler.settled(0, true);
  EXPECT_EQ(handler(datagram, Bytes(request()).first(40), reply), 0u);
  // What is longer than the buffer was cut off and can't be judged.
  datagram.truncated = true;
  EXPECT_EQ(handler(datagram, request(), reply), 0u);
  ServerCounts counts;
  handler.add_counts(counts);
  EXPECT_EQ(counts.reasons[static_cast<std::size_t>(ntp::Reason::kAnsweredPlain)], 1u);
  EXPECT_EQ(counts.reasons[static_cast<std::size_t>(ntp::Reason::kTooShort)], 1u);
  EXPECT_EQ(counts.reasons[static_cast<std::size_t>(ntp::Reason::kBadLength)], 1u);
}

TEST(TimeServer, reload_changes_the_state_but_says_when_sockets_would_have_to) {
  net::Reactor reactor;
  config::NtpServerConfig config = local_config();
  sys::Logger logger("ntpd_test", sys::LogLevel::kError);
  auto server = TimeServer::start(reactor, logger, config, -20);
  ASSERT_TRUE(server.ok()) << server.error().text();
  config.local->stratum = 5;
  EXPECT_TRUE((*server)->reload(config).value());
  EXPECT_EQ((*server)->state().stratum, 5);
  config.threads = 1;
  EXPECT_FALSE((*server)->reload(config).value());
  EXPECT_EQ((*server)->threads(), 0u);
}

TEST(TimeServer, B15_a_file_of_prefixes_that_admits_public_addresses_refuses_smeared_time) {
  net::Reactor reactor;
  sys::Logger logger("ntpd_test", sys::LogLevel::kError);
  config::NtpServerConfig config = local_config();
  config.listen = {{IpAddress::any(IpFamily::kV4), 0, 0}};
  config.smear.emplace();
  const sys::TemporaryDirectory temporary;
  const std::string file = temporary.path() + "/allowed";
  std::ofstream(file) << "10.0.0.0/8\n8.8.0.0/16\n";
  config.access.allow_files = {file};
  const auto refused = TimeServer::start(reactor, logger, config, -20);
  ASSERT_FALSE(refused.ok());
  EXPECT_NE(refused.error().text().find("8.8.0.0/16 admits public addresses"), std::string::npos)
      << refused.error().text();
  std::ofstream(file) << "10.0.0.0/8\n";
  auto server = TimeServer::start(reactor, logger, config, -20);
  ASSERT_TRUE(server.ok()) << server.error().text();
  std::ofstream(file) << "8.8.0.0/16\n";
  EXPECT_FALSE((*server)->reload(config).ok());
}

// A server that took over, while its sources are not measured yet.
TEST(TimeServer, serves_what_was_handed_over_until_its_own_client_knows_or_it_is_too_old) {
  net::Reactor reactor;
  sys::Logger logger("ntpd_test", sys::LogLevel::kError);
  config::NtpServerConfig config = local_config();
  config.local.reset();
  std::optional<ntp::ServerState> own;
  auto server = TimeServer::create(
      reactor, logger, config, -20, [&] { return ClockView{own, {}, nullptr}; }, nullptr);
  ASSERT_TRUE(server.ok()) << server.error().text();
  ntp::ServerState held;
  held.leap = wire::ntp::Leap::kNone;
  held.stratum = 3;
  held.reference_time = sys::unix_now() - Duration::seconds(590);
  (*server)->hold(held);
  EXPECT_TRUE((*server)->state().synchronised());
  EXPECT_EQ((*server)->state().stratum, 3);
  EXPECT_EQ((*server)->state().reference_time, held.reference_time) << "its dispersion grows on";
  own = held;
  own->stratum = 4;
  (*server)->refresh();
  EXPECT_EQ((*server)->state().stratum, 4);
  own.reset();
  (*server)->refresh();
  EXPECT_FALSE((*server)->state().synchronised()) << "what is known later counts for good";
  held.reference_time = sys::unix_now() - TimeServer::kHoldover - Duration::seconds(1);
  (*server)->hold(held);
  EXPECT_FALSE((*server)->state().synchronised()) << "stale time is not good time";
}

TEST(Metrics, name_every_reason) {
  net::Reactor reactor;
  sys::Logger logger("ntpd_test", sys::LogLevel::kError);
  auto server = TimeServer::start(reactor, logger, local_config(), -20);
  ASSERT_TRUE(server.ok()) << server.error().text();
  const config::NtpdConfig config;
  net::MetricSink sink;
  write_metrics({config, server->get(), nullptr}, sys::mono_now(), sink);
  const std::string text = sink.text();
  for (std::size_t i = 0; i < ntp::kReasonCount; ++i) {
    const std::string reason(name_of(static_cast<ntp::Reason>(i)));
    EXPECT_NE(text.find("timepool_ntpd_server_datagrams_total{reason=\"" + reason + "\"} 0"),
              std::string::npos)
        << reason;
  }
  for (const char* line : {"timepool_ntpd_server_datagrams_by_version_total{version=\"4\"} 0",
                           "timepool_ntpd_server_datagrams_by_mode_total{mode=\"3\"} 0",
                           "timepool_ntpd_server_latency_seconds_count 0"}) {
    EXPECT_NE(text.find(line), std::string::npos) << line << "\n" << text;
  }
  EXPECT_NE(text.find("timepool_ntpd_server_stratum 2"), std::string::npos) << text;
}

}  // namespace
}  // namespace timepool::ntpd
