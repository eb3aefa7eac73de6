#include "ntpd/server_handler.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <numeric>
#include <vector>

#include "net/udp_worker.h"
#include "sys/clock.h"

namespace timepool::ntpd {
namespace {

using Octets = std::array<std::byte, wire::ntp::kHeaderSize>;
using wire::ntp::Header;

ntp::Service synchronised() {
  ntp::Service out;
  out.state.leap = wire::ntp::Leap::kNone;
  out.state.stratum = 2;
  out.state.reference_time = sys::unix_now();
  return out;
}

// One worker on loopback, and a client of it.
struct WorkerReplies : ::testing::Test {
  WorkerReplies()
      : worker(sockets(), true),
        client(std::move(sys::UdpSocket::connect(worker.sockets()[0].local(), {})).value()) {}
  static std::vector<sys::UdpSocket> sockets() {
    sys::UdpOptions options;
    options.rx_timestamps = true;
    options.tx_timestamps_on_demand = true;
    std::vector<sys::UdpSocket> out;
    out.push_back(
        std::move(sys::UdpSocket::bind({parse_ip("127.0.0.1").value(), 0, 0}, options)).value());
    return out;
  }
  void send(const Header& request) {
    Octets out{};
    ByteWriter writer(out);
    wire::ntp::write_header(request, writer);
    ASSERT_TRUE(client.send(out).ok());
  }
  Header reply() {
    Octets in{};
    const auto got = client.receive(in);
    EXPECT_TRUE(got.ok() && got->has_value());
    ByteReader reader(in);
    return wire::ntp::read_header(reader);
  }
  std::size_t answer() { return worker.run_batch(worker.sockets()[0], batch, handler); }
  ServerCounts counts() const {
    ServerCounts out;
    handler.add_counts(out);
    return out;
  }

  net::Published<ntp::Service> service{std::make_unique<ntp::Service>(synchronised())};
  ServerHandler handler{service, {.interleaved_replies = 1024}};
  net::UdpWorker worker;
  sys::UdpBatch batch{ServerHandler::kMaxRequest, ServerHandler::kMaxRequest};
  sys::UdpSocket client;
};

Header request(std::uint64_t transmit) {
  Header out;
  out.mode = wire::ntp::Mode::kClient;
  out.transmit = NtpTimestamp::from_bits(transmit);
  return out;
}

Header interleaved_request(NtpTimestamp origin, std::uint64_t receive) {
  Header out = request(1);
  out.origin = origin;
  out.receive = NtpTimestamp::from_bits(receive);
  return out;
}

TEST_F(WorkerReplies, RFC9769_the_next_reply_tells_when_the_last_one_left) {
  send(interleaved_request(NtpTimestamp::from_bits(99), 2));
  const UnixTime before = sys::unix_now();
  ASSERT_EQ(answer(), 1u);
  const UnixTime after = sys::unix_now();
  const Header first = reply();
  EXPECT_EQ(first.origin.bits(), 1u);
  send(interleaved_request(first.receive, 3));
  ASSERT_EQ(answer(), 1u);
  const Header second = reply();
  EXPECT_EQ(second.origin.bits(), 3u);
  const UnixTime left = to_unix(second.transmit, before);
  EXPECT_GE(left, before);
  EXPECT_LE(left, after);
  // Not earlier than the prediction, which the basic reply told.
  EXPECT_GE(left, to_unix(first.transmit, before));
  EXPECT_EQ(counts().reasons[static_cast<std::size_t>(ntp::Reason::kAnsweredInterleaved)], 1u);
}

// As ServerHandler, and keeps what the kernel told.
struct Witness {
  ServerHandler inner;
  std::vector<UnixTime> departures;
  std::vector<UnixTime> stamps;
  void begin_batch() { inner.begin_batch(); }
  std::size_t operator()(const sys::Datagram& datagram, Bytes asked, MutableBytes reply) {
    return inner(datagram, asked, reply);
  }
  void finish(std::size_t index, MutableBytes reply, UnixTime at) {
    inner.finish(index, reply, at);
  }
  bool wants_departures() const { return inner.wants_departures(); }
  void departed(std::size_t index, UnixTime at) {
    departures.push_back(at);
    inner.departed(index, at);
  }
  std::uint64_t stamp_name(std::size_t index) const { return inner.stamp_name(index); }
  void stamped(std::uint64_t name, UnixTime at) {
    stamps.push_back(at);
    inner.stamped(name, at);
  }
};

TEST_F(WorkerReplies, of_small_batches_the_next_reply_tells_the_kernels_time_of_sending) {
  Witness witness{ServerHandler{service, {.interleaved_replies = 1024}}, {}, {}};
  NtpTimestamp name = NtpTimestamp::from_bits(99);
  // More than the log of stamps has room for.
  for (std::size_t i = 0; i < 2 * net::StampLog::kRoom; ++i) {
    send(interleaved_request(name, 2));
    ASSERT_EQ(worker.run_batch(worker.sockets()[0], batch, witness), 1u);
    ASSERT_EQ(witness.departures.size(), i + 1);
    if (witness.stamps.size() != i + 1) worker.take_stamps(worker.sockets()[0], witness);
    ASSERT_EQ(witness.stamps.size(), i + 1);
    EXPECT_LE(witness.stamps[i], witness.departures[i]);
    const Header got = reply();
    if (i > 0) {
      EXPECT_EQ(got.transmit, to_ntp(witness.stamps[i - 1]));
    }
    name = got.receive;
  }
  // A basic request is not stamped.
  send(request(5));
  ASSERT_EQ(worker.run_batch(worker.sockets()[0], batch, witness), 1u);
  EXPECT_EQ(witness.stamps.size(), 2 * net::StampLog::kRoom);
}

TEST_F(WorkerReplies, a_socket_that_is_only_drained_is_answered_without_the_kernels_times) {
  std::vector<sys::UdpSocket> surplus = sockets();
  sys::UdpSocket other = std::move(sys::UdpSocket::connect(surplus[0].local(), {})).value();
  std::swap(client, other);
  send(interleaved_request(NtpTimestamp::from_bits(99), 2));
  ASSERT_EQ(worker.run_batch(surplus[0], batch, handler), 1u);
  const Header first = reply();
  EXPECT_EQ(first.origin.bits(), 1u);
  // What departed() said is told.
  send(interleaved_request(first.receive, 3));
  ASSERT_EQ(worker.run_batch(surplus[0], batch, handler), 1u);
  EXPECT_EQ(reply().origin.bits(), 3u);
}

TEST_F(WorkerReplies, numbers_of_a_socket_that_was_taken_over_begin_anew) {
  NtpTimestamp name = NtpTimestamp::from_bits(99);
  for (int i = 0; i < 3; ++i) {
    send(interleaved_request(name, 2));
    ASSERT_EQ(answer(), 1u);
    name = reply().receive;
  }
  sys::UdpOptions options;
  options.rx_timestamps = true;
  options.tx_timestamps_on_demand = true;
  std::vector<sys::UdpSocket> taken;
  taken.push_back(
      std::move(sys::UdpSocket::adopt(sys::Fd(::dup(worker.sockets()[0].fd())), options)).value());
  net::UdpWorker heir(std::move(taken), true);
  Witness witness{ServerHandler{service, {.interleaved_replies = 1024}}, {}, {}};
  send(interleaved_request(NtpTimestamp::from_bits(99), 2));
  ASSERT_EQ(heir.run_batch(heir.sockets()[0], batch, witness), 1u);
  heir.take_stamps(heir.sockets()[0], witness);
  EXPECT_EQ(witness.stamps.size(), 1u);
}

TEST_F(WorkerReplies, each_of_a_batch_has_times_in_order_and_one_reason) {
  constexpr std::uint64_t kRequests = 60;
  for (int round = 0; round < 10; ++round) {
    for (std::uint64_t i = 0; i < kRequests; ++i) {
      Header asked = request(i + 1);
      if (i % 4 == 3) asked.mode = wire::ntp::Mode::kServer;
      send(asked);
    }
    ASSERT_EQ(answer(), kRequests);
    for (std::uint64_t i = 0; i < kRequests; ++i) {
      if (i % 4 == 3) continue;
      const Header got = reply();
      EXPECT_EQ(got.origin.bits(), i + 1);
      EXPECT_GE(got.transmit - got.receive, Duration());
    }
  }
  EXPECT_EQ(counts().total(), 10 * kRequests);
  EXPECT_EQ(counts().answered(), 10 * kRequests / 4 * 3);
}

TEST_F(WorkerReplies,
       a_reply_that_the_system_does_not_take_is_counted_as_not_sent_and_nothing_else) {
  const Header asked = request(7);
  Octets bytes{};
  ByteWriter writer(bytes);
  wire::ntp::write_header(asked, writer);
  sys::Datagram datagram;
  datagram.received = sys::unix_now();
  datagram.from = client.local();
  datagram.to = worker.sockets()[0].local();
  Octets room{};
  handler.begin_batch();
  for (std::size_t i = 0; i < 3; ++i) ASSERT_EQ(handler(datagram, bytes, room), bytes.size());
  for (std::size_t i = 0; i < 3; ++i) handler.finish(i, room, sys::unix_now());
  EXPECT_EQ(counts().total(), 0u);
  for (std::size_t i = 0; i < 3; ++i) handler.settled(i, i != 1);
  EXPECT_EQ(counts().total(), 3u);
  EXPECT_EQ(counts().answered(), 2u);
  EXPECT_EQ(counts().reasons[static_cast<std::size_t>(ntp::Reason::kNotSent)], 1u);
  EXPECT_EQ(counts().of_version(4), 3u);
  const auto latency = counts().latency;
  EXPECT_EQ(std::accumulate(latency.begin(), latency.end(), std::uint64_t{0}), 2u);
  const auto last = handler.last_dropped(ntp::Reason::kNotSent);
  ASSERT_TRUE(last.has_value());
  EXPECT_EQ(last->from, client.local());
}

TEST_F(WorkerReplies, whoever_waited_finds_all_counted_that_was_received) {
  send(request(1));
  ASSERT_EQ(answer(), 1u);
  EXPECT_EQ(worker.counters().settled.load(), worker.counters().received.load());
  // Nothing waits: it returns at once.
  worker.wait_settled(sys::mono_now() + Duration::seconds(600));
  EXPECT_EQ(counts().total(), 1u);
}

}  // namespace
}  // namespace timepool::ntpd
