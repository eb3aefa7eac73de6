#include "sys/stream_socket.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <cerrno>
#include <utility>

#include "sys/udp_socket.h"

namespace timepool::sys {
namespace {

const Endpoint kLoopback4{IpAddress::v4(0x7f000001), 0, 0};

int option_of(int fd, int level, int name) {
  int out = 0;
  socklen_t length = sizeof out;
  EXPECT_EQ(::getsockopt(fd, level, name, &out, &length), 0);
  return out;
}

Fd connect_to(const Endpoint& at) {
  sockaddr_storage address{};
  const socklen_t length = to_sockaddr(at, address);
  Fd out(::socket(address.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0));
  const bool done =
      ::connect(out.number(), reinterpret_cast<const sockaddr*>(&address), length) == 0;
  return done ? std::move(out) : Fd();
}

TEST(StreamSocket, listens_where_it_says_and_does_not_block) {
  const Fd listener = listen_stream(kLoopback4, "listen").value();
  const Endpoint at = local_endpoint(listener.number()).value();
  EXPECT_EQ(at.address, kLoopback4.address);
  EXPECT_NE(at.port, 0);
  EXPECT_EQ(::accept(listener.number(), nullptr, nullptr), -1);
  EXPECT_EQ(errno, EAGAIN);
  const Fd client = connect_to(at);
  ASSERT_TRUE(client);
  EXPECT_TRUE(Fd(::accept(listener.number(), nullptr, nullptr)));
}

TEST(StreamSocket, a_blocking_one_is_made_only_when_asked_for) {
  ListenOptions options;
  options.blocking = true;
  const Fd blocking = listen_stream(kLoopback4, "listen", options).value();
  EXPECT_EQ(::fcntl(blocking.number(), F_GETFL) & O_NONBLOCK, 0);
  EXPECT_NE(::fcntl(blocking.number(), F_GETFD) & FD_CLOEXEC, 0);
}

TEST(StreamSocket, connections_have_the_options_of_their_listener) {
  ListenOptions options;
  options.stream.no_delay = true;
  options.stream.send_buffer = 64 << 10;
  options.stream.receive_buffer = 16 << 10;
  options.stream.defer_seconds = 1;
  options.blocking = true;
  const Fd listener = listen_stream(kLoopback4, "listen", options).value();
  EXPECT_GT(option_of(listener.number(), IPPROTO_TCP, TCP_DEFER_ACCEPT), 0);
  set_stream_options(listener.number(), StreamOptions{.fast_open = 7});
  EXPECT_EQ(option_of(listener.number(), IPPROTO_TCP, TCP_FASTOPEN), 7);
  const Fd client = connect_to(local_endpoint(listener.number()).value());
  ASSERT_TRUE(client);
  ASSERT_EQ(::send(client.number(), "x", 1, MSG_NOSIGNAL), 1);
  const Fd taken(::accept(listener.number(), nullptr, nullptr));
  ASSERT_TRUE(taken);
  EXPECT_NE(option_of(taken.number(), IPPROTO_TCP, TCP_NODELAY), 0);
  // The kernel keeps twice as much for its own books.
  EXPECT_EQ(option_of(taken.number(), SOL_SOCKET, SO_SNDBUF), 128 << 10);
  EXPECT_EQ(option_of(taken.number(), SOL_SOCKET, SO_RCVBUF), 32 << 10);
}

TEST(StreamSocket, an_ipv6_socket_leaves_the_port_to_ipv4) {
  auto six = listen_stream({parse_ip("::").value(), 0, 0}, "listen");
  if (!six.ok()) GTEST_SKIP() << "no IPv6 here";
  const std::uint16_t port = local_endpoint(six->number()).value().port;
  EXPECT_TRUE(listen_stream({IpAddress::any(IpFamily::kV4), port, 0}, "listen").ok());
}

TEST(StreamSocket, errors_name_what_the_caller_wanted) {
  const Fd first = listen_stream(kLoopback4, "listen").value();
  const Endpoint taken = local_endpoint(first.number()).value();
  const auto again = listen_stream(taken, "[server] listen " + format(taken));
  ASSERT_FALSE(again.ok());
  EXPECT_EQ(again.error().operation, "[server] listen " + format(taken));
  EXPECT_FALSE(local_endpoint(-1).ok());
  const Fd unix_socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  EXPECT_EQ(local_endpoint(unix_socket.number()).error().code, ErrorCode::kInvalid);
}

TEST(StreamSocket, a_port_whose_last_connection_lingers_is_free) {
  Endpoint at;
  {
    const Fd listener = listen_stream(kLoopback4, "listen").value();
    at = local_endpoint(listener.number()).value();
    const Fd client = connect_to(at);
    ASSERT_TRUE(client);
    // Closed here first: TIME_WAIT stays at our end.
    Fd(::accept(listener.number(), nullptr, nullptr)).reset();
  }
  EXPECT_TRUE(listen_stream(at, "listen").ok());
}

TEST(StreamSocket, every_address_is_ipv4s_and_ipv6s_where_there_is_any) {
  const std::vector<Endpoint> all = every_address(0);
  ASSERT_FALSE(all.empty());
  EXPECT_EQ(all.front(), (Endpoint{IpAddress::any(IpFamily::kV4), 0, 0}));
  for (const Endpoint& at : all) EXPECT_TRUE(listen_stream(at, "listen").ok()) << format(at);
}

}  // namespace
}  // namespace timepool::sys
