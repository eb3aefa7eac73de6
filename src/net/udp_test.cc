#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>

#include <array>
#include <cstring>
#include <map>
#include <set>

#include "net/udp_worker.h"
#include "sys/clock.h"
#include "sys/udp_socket.h"

namespace timepool::net {
namespace {

Endpoint at(std::string_view address, std::uint16_t port = 0) {
  return {parse_ip(address).value(), port, 0};
}

Bytes bytes_of(std::string_view text) {
  return std::as_bytes(std::span(text.data(), text.size()));
}

bool wait_readable(int fd, int ms, short events = POLLIN) {
  pollfd polled{fd, events, 0};
  return ::poll(&polled, 1, ms) > 0;
}

// Answers with the request itself, unless it begins with 'n'.
struct Echo {
  std::uint64_t batches = 0;
  void begin_batch() { ++batches; }
  std::size_t operator()(const sys::Datagram& datagram, Bytes request, MutableBytes reply) const {
    if (datagram.truncated || request.empty() || request[0] == std::byte{'n'}) return 0;
    std::memcpy(reply.data(), request.data(), request.size());
    return request.size();
  }
};

std::unique_ptr<UdpServer<Echo>> serve(Reactor& reactor, UdpServerOptions options) {
  auto server =
      UdpServer<Echo>::start(reactor, options, [](unsigned) { return std::make_unique<Echo>(); });
  EXPECT_TRUE(server.ok()) << server.error().text();
  return server.ok() ? std::move(server).value() : nullptr;
}

// The answer to `text`, with the reactor running meanwhile; empty after 2 s without one.
std::string ask(Reactor& reactor, sys::UdpSocket& socket, std::string_view text,
                Endpoint* from = nullptr) {
  EXPECT_TRUE(socket.send(bytes_of(text)).ok());
  std::array<std::byte, 4096> buffer;
  const MonoTime end = sys::mono_now() + Duration::seconds(2);
  while (sys::mono_now() < end) {
    reactor.run_once(Duration::milliseconds(2));
    auto got = socket.receive(buffer);
    if (!got.ok()) return "error: " + got.error().text();
    if (!got->has_value()) continue;
    if (from != nullptr) *from = (*got)->from;
    return {reinterpret_cast<const char*>(buffer.data()), (*got)->length};
  }
  return "";
}

TEST(UdpSocket, kernel_timestamps_come_with_what_is_received_and_sent) {
  const sys::Fd held = sys::hold_kernel_timestamps();
  ASSERT_TRUE(held.valid());
  // The kernel begins to stamp a moment after it is asked to.
  std::this_thread::sleep_for(std::chrono::milliseconds(200));
  sys::UdpOptions options;
  options.rx_timestamps = true;
  options.tx_timestamps = true;
  auto server = std::move(sys::UdpSocket::bind(at("127.0.0.1"), options)).value();
  auto client = std::move(sys::UdpSocket::connect(server.local(), options)).value();
  const UnixTime before = sys::unix_now();
  ASSERT_TRUE(client.send(bytes_of("hello")).ok());
  ASSERT_TRUE(wait_readable(server.fd(), 1000));
  std::array<std::byte, 64> buffer;
  const auto got = server.receive(buffer);
  ASSERT_TRUE(got.ok() && got->has_value());
  EXPECT_EQ((*got)->length, 5u);
  EXPECT_EQ((*got)->from, client.local());
  EXPECT_TRUE((*got)->kernel_timestamp);
  EXPECT_GE((*got)->received, before);
  EXPECT_LE((*got)->received, sys::unix_now());
  ASSERT_TRUE(wait_readable(client.fd(), 1000, POLLPRI));
  const auto sent = client.transmit_timestamp();
  ASSERT_TRUE(sent.has_value());
  EXPECT_GE(*sent, before);
  EXPECT_LE(*sent, (*got)->received + Duration::milliseconds(1));
  EXPECT_FALSE(client.transmit_timestamp().has_value());
}

TEST(UdpSocket, a_refused_datagram_is_an_error_of_a_connected_socket) {
  Endpoint gone;
  {
    auto server = std::move(sys::UdpSocket::bind(at("127.0.0.1"), {})).value();
    gone = server.local();
  }
  auto client = std::move(sys::UdpSocket::connect(gone, {})).value();
  ASSERT_TRUE(client.send(bytes_of("x")).ok());
  ASSERT_TRUE(wait_readable(client.fd(), 1000));
  std::array<std::byte, 64> buffer;
  const auto got = client.receive(buffer);
  ASSERT_FALSE(got.ok());
  EXPECT_EQ(got.error().code, ErrorCode::kUnavailable);
}

TEST(UdpSocket, each_request_has_a_port_of_its_own) {
  auto server = std::move(sys::UdpSocket::bind(at("127.0.0.1"), {})).value();
  std::set<std::uint16_t> ports;
  for (int i = 0; i < 20; ++i) {
    ports.insert(std::move(sys::UdpSocket::connect(server.local(), {})).value().local().port);
  }
  EXPECT_GT(ports.size(), 10u);
}

TEST(UdpSocket, a_request_leaves_from_the_address_and_port_that_are_asked_for) {
  auto server = std::move(sys::UdpSocket::bind(at("127.0.0.1"), {})).value();
  const std::uint16_t port =
      std::move(sys::UdpSocket::bind(at("127.0.0.9"), {})).value().local().port;
  sys::UdpOptions options;
  options.local = at("127.0.0.9", port);
  options.reuse_port = true;
  options.dscp = 46;
  auto client = std::move(sys::UdpSocket::connect(server.local(), options)).value();
  EXPECT_EQ(client.local(), at("127.0.0.9", port));
  int traffic_class = 0;
  socklen_t length = sizeof traffic_class;
  ASSERT_EQ(::getsockopt(client.fd(), IPPROTO_IP, IP_TOS, &traffic_class, &length), 0);
  EXPECT_EQ(traffic_class, 46 << 2);
  // With the port alone the address is the system's choice; two servers share it.
  auto other = std::move(sys::UdpSocket::bind(at("127.0.0.2"), {})).value();
  options.local = {IpAddress(), port, 0};
  auto first = std::move(sys::UdpSocket::connect(server.local(), options)).value();
  auto second = std::move(sys::UdpSocket::connect(other.local(), options)).value();
  EXPECT_EQ(first.local().port, port);
  EXPECT_EQ(second.local().port, port);
  ASSERT_TRUE(second.send(bytes_of("to two")).ok());
  ASSERT_TRUE(wait_readable(other.fd(), 1000));
  ASSERT_TRUE(other.send_to(bytes_of("back"), second.local(), {}).ok());
  ASSERT_TRUE(wait_readable(second.fd(), 1000));
  std::array<std::byte, 64> buffer;
  EXPECT_FALSE(first.receive(buffer).value().has_value());
  EXPECT_TRUE(second.receive(buffer).value().has_value());
}

class UdpServing : public ::testing::TestWithParam<unsigned> {};

TEST_P(UdpServing, replies_leave_from_the_address_that_was_asked) {
  Reactor reactor;
  UdpServerOptions options;
  options.threads = GetParam();
  options.listen = {at("0.0.0.0")};
  auto server = serve(reactor, options);
  const std::uint16_t port = server->addresses()[0].port;
  for (const char* address : {"127.0.0.1", "127.0.0.2", "127.0.0.3"}) {
    auto client = std::move(sys::UdpSocket::connect(at(address, port), {})).value();
    Endpoint from;
    // A connected socket drops replies from anywhere else.
    EXPECT_EQ(ask(reactor, client, "hi", &from), "hi");
    EXPECT_EQ(from, at(address, port));
  }
}

TEST_P(UdpServing, answers_on_several_addresses_of_both_families) {
  Reactor reactor;
  UdpServerOptions options;
  options.threads = GetParam();
  options.listen = {at("127.0.0.2"), at("127.0.0.3"), at("::1")};
  auto server = serve(reactor, options);
  if (server == nullptr) GTEST_SKIP() << "no ::1 on this machine";
  for (const Endpoint& address : server->addresses()) {
    auto client = std::move(sys::UdpSocket::connect(address, {})).value();
    EXPECT_EQ(ask(reactor, client, "hi"), "hi") << format(address);
  }
}

TEST_P(UdpServing, counts_every_datagram_once) {
  Reactor reactor;
  UdpServerOptions options;
  options.threads = GetParam();
  options.listen = {at("127.0.0.1")};
  options.max_request = 64;
  options.max_reply = 64;
  auto server = serve(reactor, options);
  std::uint64_t sent = 0;
  for (int i = 0; i < 10; ++i) {
    auto client = std::move(sys::UdpSocket::connect(server->addresses()[0], {})).value();
    for (int j = 0; j < 30; ++j) {
      ASSERT_TRUE(client.send(bytes_of(j % 3 == 0 ? "no" : "yes")).ok());
      ++sent;
    }
    ASSERT_TRUE(client.send(bytes_of(std::string(100, 'y'))).ok());
    ++sent;
    EXPECT_EQ(ask(reactor, client, "yes"), "yes");
    ++sent;
  }
  const MonoTime end = sys::mono_now() + Duration::seconds(5);
  while (server->totals().received < sent && sys::mono_now() < end) {
    reactor.run_once(Duration::milliseconds(1));
  }
  EXPECT_EQ(server->totals().received, sent);
  EXPECT_EQ(server->totals().sent, 10u * 21);
  EXPECT_EQ(server->totals().refused, 0u);
}

TEST_P(UdpServing, an_address_in_use_is_an_error_that_names_the_setting) {
  Reactor reactor;
  UdpServerOptions options;
  options.threads = GetParam();
  options.listen = {at("127.0.0.1")};
  auto server = serve(reactor, options);
  options.listen = server->addresses();
  const auto second =
      UdpServer<Echo>::start(reactor, options, [](unsigned) { return std::make_unique<Echo>(); });
  ASSERT_FALSE(second.ok());
  EXPECT_EQ(second.error().text(),
            "[server] listen: bind UDP " + format(options.listen[0]) + ": Address already in use");
}

INSTANTIATE_TEST_SUITE_P(Threads, UdpServing, ::testing::Values(0u, 1u, 2u));

TEST(UdpServing, the_workers_share_the_clients) {
  Reactor reactor;
  UdpServerOptions options;
  options.threads = 2;
  options.pin_threads = true;
  options.listen = {at("127.0.0.1")};
  auto server = serve(reactor, options);
  ASSERT_EQ(server->worker_count(), 2u);
  for (int i = 0; i < 64; ++i) {
    auto client = std::move(sys::UdpSocket::connect(server->addresses()[0], {})).value();
    ASSERT_EQ(ask(reactor, client, "hi"), "hi");
  }
  EXPECT_EQ(server->totals().sent, 64u);
}

// Tells which worker answered.
struct WorkerNumber {
  unsigned index;
  void begin_batch() {}
  std::size_t operator()(const sys::Datagram&, Bytes, MutableBytes reply) const {
    reply[0] = static_cast<std::byte>('0' + index);
    return 1;
  }
};

struct Steered : ::testing::Test {
  std::unique_ptr<UdpServer<WorkerNumber>> serve_by(unsigned workers, const char* address) {
    UdpServerOptions options;
    options.threads = workers;
    options.steer_by_prefix = true;
    options.listen = {at(address)};
    auto server = UdpServer<WorkerNumber>::start(reactor, options, [](unsigned index) {
      return std::make_unique<WorkerNumber>(WorkerNumber{index});
    });
    return server.ok() ? std::move(server).value() : nullptr;
  }
  // From a fresh port.
  std::string worker_of(const std::string& source, const Endpoint& target) {
    sys::UdpOptions options;
    options.local = at(source);
    auto client = std::move(sys::UdpSocket::connect(target, options)).value();
    return ask(reactor, client, "?");
  }
  Reactor reactor;
};

TEST_F(Steered, clients_of_one_prefix_come_to_one_worker_and_prefixes_spread) {
  auto server = serve_by(4, "127.0.0.1");
  ASSERT_NE(server, nullptr);
  const Endpoint target = server->addresses()[0];
  std::map<std::string, int> prefixes;
  for (int i = 0; i < 64; ++i) {
    const std::string prefix = "127.7." + std::to_string(i) + ".";
    const std::string worker = worker_of(prefix + "1", target);
    ++prefixes[worker];
    for (const char* host : {"1", "2", "129", "254"}) {
      EXPECT_EQ(worker_of(prefix + host, target), worker) << prefix << host;
    }
  }
  // 64 prefixes over 4 workers: fewer than 6 at one has a chance below 1 in 1,000, were it random.
  ASSERT_EQ(prefixes.size(), 4u);
  for (const auto& [worker, count] : prefixes) EXPECT_GE(count, 6) << worker;
}

// From an address that this machine does not have, which takes CAP_NET_ADMIN; -1 without it.
sys::Fd transparent_client(const std::string& source, const Endpoint& target) {
  sys::Fd fd = std::move(sys::make_socket(AF_INET6, SOCK_DGRAM)).value();
  const int on = 1;
  if (::setsockopt(fd.number(), IPPROTO_IPV6, IPV6_TRANSPARENT, &on, sizeof on) < 0) return {};
  sockaddr_storage address{};
  socklen_t length = sys::to_sockaddr(at(source, 5000), address);
  if (::bind(fd.number(), reinterpret_cast<sockaddr*>(&address), length) < 0) return {};
  length = sys::to_sockaddr(target, address);
  if (::connect(fd.number(), reinterpret_cast<sockaddr*>(&address), length) < 0) return {};
  return fd;
}

TEST_F(Steered, clients_of_one_48_come_to_one_worker) {
  auto server = serve_by(4, "::1");
  if (server == nullptr) GTEST_SKIP() << "no ::1 on this machine";
  std::set<std::size_t> used;
  for (int i = 0; i < 32; ++i) {
    std::set<std::size_t> workers;
    for (const char* host : {"0:0:0:0:1", "0:0:0:0:2", "7:0:0:0:1", "ffff:1:2:3:4"}) {
      const std::string source = "2001:db8:" + std::to_string(i + 1) + ":" + host;
      sys::Fd client = transparent_client(source, server->addresses()[0]);
      if (!client) GTEST_SKIP() << "no CAP_NET_ADMIN";
      const std::uint64_t before = server->totals().received;
      std::array<std::uint64_t, 4> batches{};
      for (std::size_t w = 0; w < 4; ++w) batches[w] = server->totals_of(w).received;
      ASSERT_EQ(::send(client.number(), "?", 1, 0), 1);
      const MonoTime end = sys::mono_now() + Duration::seconds(2);
      while (server->totals().received == before && sys::mono_now() < end) {
        reactor.run_once(Duration::milliseconds(1));
      }
      for (std::size_t w = 0; w < 4; ++w) {
        if (server->totals_of(w).received != batches[w]) workers.insert(w);
      }
    }
    ASSERT_EQ(workers.size(), 1u) << "prefix " << i;
    used.insert(*workers.begin());
  }
  EXPECT_EQ(used.size(), 4u);
}

// Its replies tell when they leave: 8 octets of nanoseconds.
struct Teller {
  std::vector<UnixTime> leaving;
  std::vector<UnixTime> departures;
  void begin_batch() {
    leaving.clear();
    departures.clear();
  }
  std::size_t operator()(const sys::Datagram&, Bytes request, MutableBytes) const {
    return request[0] == std::byte{'n'} ? 0 : 8;
  }
  void finish(std::size_t index, MutableBytes reply, UnixTime at) {
    EXPECT_EQ(index, leaving.size());
    EXPECT_EQ(reply.size(), 8u);
    const std::int64_t ns = at.ns();
    std::memcpy(reply.data(), &ns, sizeof ns);
    leaving.push_back(at);
  }
  bool wants_departures() const { return true; }
  void departed(std::size_t index, UnixTime at) {
    EXPECT_EQ(index, departures.size());
    departures.push_back(at);
  }
};

TEST(UdpWorker, each_reply_of_a_batch_tells_when_it_leaves_and_then_when_it_left) {
  sys::UdpOptions bound;
  std::vector<sys::UdpSocket> sockets;
  sockets.push_back(std::move(sys::UdpSocket::bind(at("127.0.0.1"), bound)).value());
  UdpWorker worker(std::move(sockets));
  sys::UdpSocket& socket = worker.sockets()[0];
  auto client = std::move(sys::UdpSocket::connect(socket.local(), {})).value();
  sys::UdpBatch batch(64, 64);
  Teller handler;
  for (int round = 0; round < 20; ++round) {
    // Every third is not answered.
    constexpr std::size_t kRequests = 63;
    for (std::size_t i = 0; i < kRequests; ++i) {
      ASSERT_TRUE(client.send(bytes_of(i % 3 == 2 ? "no" : "yes")).ok());
    }
    const UnixTime before = sys::unix_now();
    ASSERT_EQ(worker.run_batch(socket, batch, handler), kRequests);
    const UnixTime after = sys::unix_now();
    ASSERT_EQ(handler.leaving.size(), kRequests / 3 * 2);
    ASSERT_EQ(handler.departures.size(), kRequests / 3 * 2);
    for (std::size_t i = 0; i < handler.leaving.size(); ++i) {
      EXPECT_GE(handler.leaving[i], before);
      // 64 replies at the longest pace that is learned, and what the last one may be off by.
      EXPECT_LE(handler.leaving[i], after + Duration::milliseconds(3));
      EXPECT_GE(handler.departures[i], before);
      EXPECT_LE(handler.departures[i], after);
      EXPECT_GE(handler.departures[i], handler.departures[i == 0 ? 0 : i - 1]);
      std::array<std::byte, 64> buffer;
      const auto got = client.receive(buffer);
      ASSERT_TRUE(got.ok() && got->has_value());
      std::int64_t told = 0;
      std::memcpy(&told, buffer.data(), sizeof told);
      EXPECT_EQ(told, handler.leaving[i].ns());
    }
  }
  EXPECT_EQ(worker.counters().sent.load(), 20u * 42);
}

TEST(UdpSocket, a_socket_of_one_address_knows_where_its_datagrams_went) {
  sys::UdpOptions options;
  options.packet_info = true;
  auto server = std::move(sys::UdpSocket::bind(at("127.0.0.7"), options)).value();
  auto any = std::move(sys::UdpSocket::bind(at("0.0.0.0"), options)).value();
  for (const auto& [socket, asked] :
       {std::pair{&server, server.local()}, {&any, at("127.0.0.8", any.local().port)}}) {
    auto client = std::move(sys::UdpSocket::connect(asked, {})).value();
    ASSERT_TRUE(client.send(bytes_of("hi")).ok());
    ASSERT_TRUE(wait_readable(socket->fd(), 1000));
    std::array<std::byte, 64> buffer;
    const auto got = socket->receive(buffer);
    ASSERT_TRUE(got.ok() && got->has_value());
    EXPECT_EQ((*got)->to, asked);
  }
}

}  // namespace
}  // namespace timepool::net
