#include "net/inherited_sockets.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>

#include "net/udp_worker.h"

namespace timepool::net {
namespace {

Endpoint at(std::string_view address, std::uint16_t port = 0) {
  return {parse_ip(address).value(), port, 0};
}

sys::UdpSocket bound(const Endpoint& address, bool share = false) {
  sys::UdpOptions options;
  options.reuse_port = share;
  return std::move(sys::UdpSocket::bind(address, options)).value();
}

// What SCM_RIGHTS would bring.
sys::Fd copy_of(int fd) {
  return sys::Fd(::fcntl(fd, F_DUPFD_CLOEXEC, 0));
}

ino_t inode(int fd) {
  struct stat info{};
  EXPECT_EQ(::fstat(fd, &info), 0);
  return info.st_ino;
}

TEST(InheritedSockets, are_given_by_address_in_their_order) {
  const sys::UdpSocket first = bound(at("127.0.0.1"), true);
  const sys::UdpSocket second = bound(first.local(), true);
  const sys::UdpSocket other = bound(at("127.0.0.2"));
  InheritedSockets sockets;
  EXPECT_TRUE(sockets.add(copy_of(second.fd()), 2));
  EXPECT_TRUE(sockets.add(copy_of(other.fd()), 7));
  EXPECT_TRUE(sockets.add(copy_of(first.fd()), 1));
  const auto taken = sockets.take(first.local(), {});
  ASSERT_EQ(taken.size(), 2u);
  EXPECT_EQ(inode(taken[0].fd()), inode(first.fd()));
  EXPECT_EQ(inode(taken[1].fd()), inode(second.fd()));
  EXPECT_TRUE(sockets.take(first.local(), {}).empty());
  EXPECT_TRUE(sockets.take(at("127.0.0.3"), {}).empty());
  // Port 0 is any.
  EXPECT_EQ(sockets.take(at("127.0.0.2"), {}).size(), 1u);
  EXPECT_TRUE(sockets.empty());
}

TEST(InheritedSockets, with_port_0_only_those_of_one_port_are_taken) {
  const sys::UdpSocket first = bound(at("127.0.0.1"));
  const sys::UdpSocket second = bound(at("127.0.0.1"));
  InheritedSockets sockets;
  sockets.add(copy_of(first.fd()), 1);
  sockets.add(copy_of(second.fd()), 2);
  const auto taken = sockets.take(at("127.0.0.1"), {});
  ASSERT_EQ(taken.size(), 1u);
  EXPECT_EQ(taken[0].local(), first.local());
  EXPECT_EQ(sockets.take_rest().size(), 1u);
}

TEST(InheritedSockets, what_is_no_bound_udp_socket_is_refused) {
  InheritedSockets sockets;
  EXPECT_FALSE(sockets.add(sys::Fd(::socket(AF_INET, SOCK_STREAM, 0)), 1));
  EXPECT_FALSE(sockets.add(sys::Fd(::socket(AF_INET, SOCK_DGRAM, 0)), 1));
  EXPECT_FALSE(sockets.add(sys::Fd(::socket(AF_UNIX, SOCK_DGRAM, 0)), 1));
  EXPECT_FALSE(sockets.add(sys::Fd(::open("/dev/null", O_RDONLY)), 1));
  EXPECT_FALSE(sockets.add(sys::Fd(), 1));
  EXPECT_TRUE(sockets.empty());
}

struct Echo {
  void begin_batch() {}
  std::size_t operator()(const sys::Datagram&, Bytes request, MutableBytes reply) const {
    std::copy(request.begin(), request.end(), reply.begin());
    return request.size();
  }
};

using Server = UdpServer<Echo>;

std::unique_ptr<Server> serve(Reactor& reactor, const std::vector<Endpoint>& listen,
                              unsigned threads, InheritedSockets* inherited) {
  UdpServerOptions options;
  options.listen = listen;
  options.threads = threads;
  options.inherited = inherited;
  auto out = Server::create(reactor, options, [](unsigned) { return std::make_unique<Echo>(); });
  EXPECT_TRUE(out.ok()) << out.error().text();
  return out.ok() ? std::move(out).value() : nullptr;
}

// How many of `clients` have an answer.
int answered(Reactor& reactor, std::vector<sys::UdpSocket>& clients) {
  std::vector<bool> done(clients.size(), false);
  for (int round = 0; round < 200; ++round) {
    reactor.run_once(Duration::milliseconds(2));
    std::array<std::byte, 64> buffer;
    for (std::size_t i = 0; i < clients.size(); ++i) {
      const auto got = clients[i].receive(buffer);
      if (got.ok() && got->has_value()) done[i] = true;
    }
    if (std::count(done.begin(), done.end(), false) == 0) break;
  }
  return static_cast<int>(std::count(done.begin(), done.end(), true));
}

std::vector<sys::UdpSocket> ask(const Endpoint& address, int count) {
  std::vector<sys::UdpSocket> out;
  const std::array<std::byte, 4> text{};
  for (int i = 0; i < count; ++i) {
    out.push_back(std::move(sys::UdpSocket::connect(address, {})).value());
    EXPECT_TRUE(out.back().send(text).ok());
  }
  return out;
}

struct Threads {
  unsigned before;
  unsigned after;
};

class TakingOver : public ::testing::TestWithParam<Threads> {};

TEST_P(TakingOver, what_came_while_nobody_answered_is_answered_by_the_next_server) {
  Reactor reactor;
  auto before = serve(reactor, {at("127.0.0.1")}, GetParam().before, nullptr);
  ASSERT_NE(before, nullptr);
  ASSERT_TRUE(before->begin().ok());
  const Endpoint address = before->addresses()[0];
  before->stop();
  auto waiting = ask(address, 40);
  InheritedSockets inherited;
  std::size_t order = 0;
  for (const int fd : before->descriptors()) inherited.add(copy_of(fd), order++);
  auto after = serve(reactor, {address}, GetParam().after, &inherited);
  ASSERT_NE(after, nullptr);
  before.reset();
  ASSERT_TRUE(after->begin().ok());
  EXPECT_EQ(answered(reactor, waiting), 40);
  auto more = ask(address, 40);
  EXPECT_EQ(answered(reactor, more), 40);
  EXPECT_EQ(after->addresses(), std::vector<Endpoint>{address});
  // No socket is closed for having fewer workers: its queue could not be emptied without a loss.
  EXPECT_EQ(after->descriptors().size(), std::max({GetParam().before, GetParam().after, 1u}));
}

INSTANTIATE_TEST_SUITE_P(Threads, TakingOver,
                         ::testing::Values(Threads{0, 0}, Threads{2, 2}, Threads{0, 2},
                                           Threads{1, 3}, Threads{3, 1}, Threads{3, 2},
                                           Threads{3, 0}));

TEST(TakingOver, a_server_that_stopped_goes_on_with_what_waited) {
  for (const unsigned threads : {0u, 2u}) {
    Reactor reactor;
    auto server = serve(reactor, {at("127.0.0.1")}, threads, nullptr);
    ASSERT_TRUE(server->begin().ok());
    server->stop();
    auto waiting = ask(server->addresses()[0], 20);
    EXPECT_EQ(answered(reactor, waiting), 0);
    ASSERT_TRUE(server->begin().ok());
    EXPECT_EQ(answered(reactor, waiting), 20);
  }
}

TEST(TakingOver, what_waits_at_an_address_that_went_is_answered_before_it_is_closed) {
  Reactor reactor;
  auto before = serve(reactor, {at("127.0.0.1"), at("127.0.0.2")}, 2, nullptr);
  const Endpoint kept = before->addresses()[0];
  const Endpoint gone = before->addresses()[1];
  auto waiting = ask(gone, 20);
  InheritedSockets inherited;
  std::size_t order = 0;
  for (const int fd : before->descriptors()) inherited.add(copy_of(fd), order++);
  auto after = serve(reactor, {kept}, 2, &inherited);
  before.reset();
  ASSERT_TRUE(after->begin().ok());
  EXPECT_EQ(answered(reactor, waiting), 20);
  EXPECT_EQ(after->descriptors().size(), 2u);
  EXPECT_TRUE(sys::UdpSocket::bind(gone, {}).ok()) << "it is still open";
}

}  // namespace
}  // namespace timepool::net
