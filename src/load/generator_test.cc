#include "load/generator.h"

#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <thread>

#include "load/echo_server.h"

namespace timepool::load {
namespace {

constexpr std::uint32_t kLoopback = 0x7f000001;

// A thread with an echo server until the end of the test.
class EchoThread {
 public:
  EchoThread() {
    std::promise<Endpoint> bound;
    std::future<Endpoint> where = bound.get_future();
    thread_ = std::thread([this, &bound] {
      EchoOptions options;
      options.listen = {IpAddress::v4(kLoopback), 0};
      const auto sent = serve_echo(
          options, [this] { return stop_.load(); },
          [&bound](const Endpoint& endpoint) { bound.set_value(endpoint); });
      EXPECT_TRUE(sent.ok());
      if (sent.ok()) sent_ = *sent;
    });
    endpoint_ = where.get();
  }
  ~EchoThread() { finish(); }
  std::uint64_t finish() {
    stop_ = true;
    if (thread_.joinable()) thread_.join();
    return sent_;
  }
  const Endpoint& endpoint() const { return endpoint_; }

 private:
  std::atomic<bool> stop_{false};
  std::uint64_t sent_ = 0;
  Endpoint endpoint_;
  std::thread thread_;
};

LoadOptions small_load(const Endpoint& target) {
  LoadOptions options;
  options.target = target;
  options.count = 2000;
  options.sockets = 4;
  options.inflight = 64;
  return options;
}

TEST(Generator, counts_each_request_once_against_an_echo) {
  EchoThread echo;
  const auto report = run(small_load(echo.endpoint()), EchoTraffic());
  ASSERT_TRUE(report.ok()) << report.error().text();
  EXPECT_EQ(report->sent, 2000U);
  EXPECT_EQ(report->sent, report->answered + report->lost);
  EXPECT_EQ(report->invalid, 0U);
  EXPECT_EQ(report->latency.count(), report->answered);
  EXPECT_GT(report->rate(), 0);
  EXPECT_GE(echo.finish(), report->answered);
}

TEST(Generator, takes_no_echo_for_an_ntp_or_dns_answer) {
  EchoThread echo;
  LoadOptions options = small_load(echo.endpoint());
  options.count = 64;
  options.timeout = Duration::milliseconds(50);
  const auto ntp = run(options, NtpTraffic());
  ASSERT_TRUE(ntp.ok());
  EXPECT_EQ(ntp->answered, 0U);
  const auto traffic = DnsTraffic::create({{"pool.test", 1}}, {100, false, false, 1});
  ASSERT_TRUE(traffic.ok());
  const auto dns = run(options, *traffic);
  ASSERT_TRUE(dns.ok());
  EXPECT_EQ(dns->answered, 0U);
  EXPECT_EQ(dns->invalid + dns->lost, 64U);
}

TEST(Generator, says_when_nothing_listens) {
  Endpoint closed;
  {
    EchoThread echo;
    closed = echo.endpoint();
  }
  LoadOptions options = small_load(closed);
  options.timeout = Duration::milliseconds(50);
  const auto report = run(options, NtpTraffic());
  ASSERT_FALSE(report.ok());
  EXPECT_EQ(report.error().code, ErrorCode::kUnavailable);
}

TEST(Generator, refuses_targets_that_are_not_loopback) {
  LoadOptions options = small_load({parse_ip("192.0.2.1").value(), 123});
  EXPECT_EQ(run(options, NtpTraffic()).error().code, ErrorCode::kDenied);
  options.allow_private = true;
  EXPECT_EQ(run(options, NtpTraffic()).error().code, ErrorCode::kDenied);
}

TEST(Generator, an_open_loop_keeps_its_rate_and_spreads_its_sources) {
  EchoThread echo;
  LoadOptions options = small_load(echo.endpoint());
  options.rate = 2000;
  options.duration = Duration::milliseconds(300);
  options.sources = parse_prefix("127.9.0.0/16").value();
  const auto report = run(options, EchoTraffic());
  ASSERT_TRUE(report.ok()) << report.error().text();
  EXPECT_GT(report->sent, 0U);
  // Never above; far below when this machine is busy, since nothing is made up for.
  EXPECT_LE(report->sent, 2000 * 0.3 + 1);
  EXPECT_EQ(report->sent, report->answered + report->lost);
  options.sources = parse_prefix("192.0.2.0/24").value();
  EXPECT_EQ(run(options, EchoTraffic()).error().code, ErrorCode::kDenied);
}

TEST(Generator, refuses_options_out_of_bounds) {
  const LoadOptions good = small_load({IpAddress::v4(kLoopback), 9});
  LoadOptions options = good;
  options.duration = Duration::seconds(3601);
  EXPECT_EQ(run(options, NtpTraffic()).error().code, ErrorCode::kInvalid);
  options = good;
  options.inflight = 3;
  EXPECT_EQ(run(options, NtpTraffic()).error().code, ErrorCode::kInvalid);
  options = good;
  options.count = 0;
  EXPECT_EQ(run(options, NtpTraffic()).error().code, ErrorCode::kInvalid);
}

std::vector<std::byte> ntp_reply_to(std::uint64_t token) {
  std::vector<std::byte> reply(48);
  reply[0] = std::byte{0x24};
  reply[1] = std::byte{2};
  for (std::size_t i = 0; i < 8; ++i) reply[24 + i] = static_cast<std::byte>(token >> (56 - 8 * i));
  reply[47] = std::byte{1};
  return reply;
}

TEST(NtpTraffic, judges_by_mode_version_origin_and_stratum) {
  const NtpTraffic traffic;
  std::uint64_t memory = 0;
  constexpr std::uint64_t kToken = 0x0123456789abcdef;
  std::vector<std::byte> reply = ntp_reply_to(kToken);
  EXPECT_EQ(traffic.read_token(reply), kToken);
  EXPECT_EQ(traffic.judge(kToken, reply, memory), Judgement::kAnswer);
  EXPECT_EQ(traffic.judge(kToken + 1, reply, memory), Judgement::kInvalid);
  reply[1] = std::byte{0};
  EXPECT_EQ(traffic.judge(kToken, reply, memory), Judgement::kRefused);
  reply = ntp_reply_to(kToken);
  reply[0] = std::byte{0x23};
  EXPECT_EQ(traffic.judge(kToken, reply, memory), Judgement::kInvalid);
  EXPECT_EQ(traffic.read_token(Bytes(reply).first(47)), std::nullopt);
}

TEST(NtpTraffic, interleaved_requests_name_the_last_reply_and_know_the_mode_of_the_answer) {
  NtpTraffic::Options options;
  options.interleaved = true;
  const NtpTraffic traffic(options);
  constexpr std::uint64_t kToken = 0x0123456789abcdef;
  std::array<std::byte, kMaxRequest> buffer{};
  EXPECT_EQ(traffic.write(kToken, 0, buffer), 48U);
  EXPECT_EQ(Bytes(buffer).subspan(24, 16)[0], std::byte{0}) << "basic before the first answer";
  std::uint64_t memory = 0;
  std::vector<std::byte> reply = ntp_reply_to(kToken);
  reply[39] = std::byte{0x77};  // its receive timestamp
  EXPECT_EQ(traffic.judge(kToken, reply, memory), Judgement::kAnswer);
  EXPECT_EQ(memory, 0x77U);
  EXPECT_EQ(traffic.write(kToken, memory, buffer), 48U);
  ByteReader reader(Bytes(buffer).subspan(24));
  EXPECT_EQ(reader.u64(), 0x77U);
  const std::uint64_t receive = reader.u64();
  EXPECT_NE(receive, kToken);
  reply = ntp_reply_to(receive);
  EXPECT_EQ(traffic.read_token(reply), kToken);
  EXPECT_EQ(traffic.judge(kToken, reply, memory), Judgement::kInterleaved);
}

TEST(NtpTraffic, with_a_key_requests_and_answers_are_authenticated) {
  const auto keyed = NtpTraffic::with_key("7:AES128:2b7e151628aed2a6abf7158809cf4f3c", {});
  ASSERT_TRUE(keyed.ok()) << keyed.error().text();
  const NtpTraffic traffic(*keyed);
  constexpr std::uint64_t kToken = 0x0123456789abcdef;
  std::array<std::byte, kMaxRequest> buffer{};
  ASSERT_EQ(traffic.write(kToken, 0, buffer), 48U + 4 + 16);
  EXPECT_EQ(buffer[51], std::byte{7});
  EXPECT_TRUE(keyed->mac->verify(Bytes(buffer).first(48), Bytes(buffer).subspan(52, 16)));
  std::vector<std::byte> reply = ntp_reply_to(kToken);
  std::uint64_t memory = 0;
  EXPECT_EQ(traffic.judge(kToken, reply, memory), Judgement::kInvalid) << "no MAC";
  reply.resize(68);
  reply[51] = std::byte{7};
  keyed->mac->sign(Bytes(reply).first(48), MutableBytes(reply).subspan(52));
  EXPECT_EQ(traffic.judge(kToken, reply, memory), Judgement::kAnswer);
  reply[60] ^= std::byte{1};
  EXPECT_EQ(traffic.judge(kToken, reply, memory), Judgement::kInvalid);
  for (const char* bad : {"", "7", "7:AES128", "0:AES128:00", "x:AES128:00", "7:NONE:00",
                          "7:AES128:00", "7:AES128:xy"}) {
    EXPECT_FALSE(NtpTraffic::with_key(bad, {}).ok()) << bad;
  }
}

TEST(DnsTraffic, judges_by_question_and_code) {
  const auto traffic =
      DnsTraffic::create({{"pool.test", 1}, {"0.pool.test", 28}}, {50, false, false, 1});
  ASSERT_TRUE(traffic.ok());
  std::array<std::byte, kMaxRequest> buffer{};
  const std::size_t plain = traffic->write(0x1234, buffer);
  EXPECT_EQ(plain, 12U + 11 + 4);
  std::vector<std::byte> reply(buffer.begin(), buffer.begin() + plain);
  EXPECT_EQ(traffic->judge(0x1234, reply), Judgement::kInvalid) << "not a response";
  reply[2] |= std::byte{0x80};
  EXPECT_EQ(traffic->read_token(reply), 0x1234U);
  EXPECT_EQ(traffic->judge(0x1234, reply), Judgement::kAnswer);
  EXPECT_EQ(traffic->judge(0x11234, reply), Judgement::kInvalid) << "another question";
  reply[3] = std::byte{5};
  EXPECT_EQ(traffic->judge(0x1234, reply), Judgement::kRefused);
  EXPECT_EQ(traffic->write(0x10000, buffer), 12U + 13 + 4 + 11) << "the second one has EDNS";
}

TEST(DnsTraffic, reads_questions) {
  EXPECT_EQ(parse_question("pool.test")->type, 1);
  EXPECT_EQ(parse_question("pool.test\tAAAA \r")->type, 28);
  EXPECT_FALSE(parse_question("pool.test NOSUCH").ok());
  EXPECT_FALSE(DnsTraffic::create({{"a..b", 1}}, {}).ok());
  EXPECT_FALSE(DnsTraffic::create({}, {}).ok());
}

}  // namespace
}  // namespace timepool::load
