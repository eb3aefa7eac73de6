#include "net/socket_owners.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <optional>

#include "sys/udp_socket.h"

namespace timepool::net {
namespace {

constexpr uid_t kSomebody = 65'534;

struct Owned : ::testing::Test {
  void SetUp() override {
    if (::geteuid() != 0) GTEST_SKIP() << "needs root, to give sockets to somebody";
  }
  uid_t owner() const {
    struct stat status{};
    EXPECT_EQ(::fstat(socket.fd(), &status), 0);
    return status.st_uid;
  }
  void give(uid_t user) { ASSERT_EQ(::fchown(socket.fd(), user, user), 0); }

  sys::UdpSocket socket =
      std::move(sys::UdpSocket::bind({parse_ip("127.0.0.1").value(), 0, 0}, {})).value();
};

TEST_F(Owned, sockets_are_given_back_when_the_start_fails) {
  give(kSomebody);
  {
    SocketOwners owners;
    const int descriptor = socket.fd();
    ASSERT_TRUE(owners.note({&descriptor, 1}).ok());
    give(0);
  }
  EXPECT_EQ(owner(), kSomebody);
}

TEST_F(Owned, sockets_stay_as_they_are_when_it_does_not) {
  give(kSomebody);
  {
    SocketOwners owners;
    const int descriptor = socket.fd();
    ASSERT_TRUE(owners.note({&descriptor, 1}).ok());
    give(0);
    owners.keep();
  }
  EXPECT_EQ(owner(), 0u);
}

TEST_F(Owned, it_tells_who_else_has_one) {
  SocketOwners owners;
  EXPECT_EQ(owners.other_than(0), -1);
  const int descriptor = socket.fd();
  ASSERT_TRUE(owners.note({&descriptor, 1}).ok());
  EXPECT_EQ(owners.other_than(0), -1);
  EXPECT_EQ(owners.other_than(kSomebody), 0);
}

TEST(SocketOwners, what_is_no_descriptor_is_an_error) {
  SocketOwners owners;
  const int none = -1;
  EXPECT_FALSE(owners.note({&none, 1}).ok());
}

}  // namespace
}  // namespace timepool::net
