#include "net/acceptor.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include <optional>

#include "sys/clock.h"
#include "sys/stream_socket.h"
#include "sys/udp_socket.h"

namespace timepool::net {
namespace {

// Until destroyed the process gets no descriptor beyond those that it has.
class NoMoreDescriptors {
 public:
  NoMoreDescriptors() {
    const sys::Fd next(::dup(0));
    EXPECT_EQ(::getrlimit(RLIMIT_NOFILE, &before_), 0);
    rlimit now = before_;
    now.rlim_cur = static_cast<rlim_t>(next.number());
    EXPECT_EQ(::setrlimit(RLIMIT_NOFILE, &now), 0);
  }
  NoMoreDescriptors(const NoMoreDescriptors&) = delete;
  NoMoreDescriptors& operator=(const NoMoreDescriptors&) = delete;
  ~NoMoreDescriptors() { ::setrlimit(RLIMIT_NOFILE, &before_); }

 private:
  rlimit before_{};
};

class AcceptorTest : public ::testing::Test {
 protected:
  void SetUp() override {
    const Endpoint any{IpAddress::v4(0x7f000001), 0, 0};
    sys::Fd listener = sys::listen_stream(any, "listen").value();
    sockaddr_storage address{};
    const socklen_t length =
        sys::to_sockaddr(sys::local_endpoint(listener.number()).value(), address);
    const auto* name = reinterpret_cast<const sockaddr*>(&address);
    acceptor_.start(std::move(listener), [this](sys::Fd fd) { accepted_ = std::move(fd); });
    client_.reset(::socket(AF_INET, SOCK_STREAM, 0));
    ASSERT_EQ(::connect(client_.number(), name, length), 0);
  }

  Reactor reactor_;
  Acceptor acceptor_{reactor_};
  sys::Fd accepted_;
  sys::Fd client_;
};

TEST_F(AcceptorTest, gives_connections_that_do_not_block) {
  reactor_.run_once(Duration::seconds(5));
  ASSERT_TRUE(accepted_.valid());
  EXPECT_NE(::fcntl(accepted_.number(), F_GETFL) & O_NONBLOCK, 0);
  EXPECT_NE(::fcntl(accepted_.number(), F_GETFD) & FD_CLOEXEC, 0);
}

TEST_F(AcceptorTest, waits_a_moment_when_there_is_no_descriptor) {
  const MonoTime start = sys::mono_now();
  {
    const NoMoreDescriptors none;
    reactor_.run_once(Duration::seconds(5));
    EXPECT_FALSE(accepted_.valid());
  }
  // The loop has nothing to do until the pause is over, though somebody waits.
  int turns = 0;
  while (!accepted_.valid() && ++turns < 10) reactor_.run_once(Duration::seconds(5));
  EXPECT_TRUE(accepted_.valid());
  EXPECT_LE(turns, 3);
  EXPECT_GE(sys::mono_now() - start, Acceptor::kPause);
}

}  // namespace
}  // namespace timepool::net
