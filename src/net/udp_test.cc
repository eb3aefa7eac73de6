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

}  // namespace
}  // namespace timepool::net
