#include "sys/network_watch.h"

#include <gtest/gtest.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstring>

namespace timepool::sys {
namespace {

constexpr int kNotAllowed = 77;

bool bring_loopback_up() {
  const Fd socket(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  ifreq request{};
  std::strncpy(request.ifr_name, "lo", sizeof request.ifr_name - 1);
  if (::ioctl(socket.number(), SIOCGIFFLAGS, &request) != 0) return false;
  request.ifr_flags = static_cast<short>(request.ifr_flags | IFF_UP);
  return ::ioctl(socket.number(), SIOCSIFFLAGS, &request) == 0;
}

// In a network namespace of its own: 0 when the watch noticed that an interface came up.
int notices_an_interface() {
  if (::unshare(CLONE_NEWNET) != 0) return kNotAllowed;
  Result<NetworkWatch> watch = NetworkWatch::open();
  if (!watch.ok()) return 1;
  if (watch->changed()) return 2;
  if (!bring_loopback_up()) return kNotAllowed;
  pollfd ready{watch->fd(), POLLIN, 0};
  if (::poll(&ready, 1, 5000) != 1) return 3;
  if (!watch->changed()) return 4;
  return watch->changed() ? 5 : 0;
}

TEST(NetworkWatch, notices_that_an_interface_comes_up) {
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) ::_exit(notices_an_interface());
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  ASSERT_TRUE(WIFEXITED(status));
  if (WEXITSTATUS(status) == kNotAllowed) GTEST_SKIP() << "needs CAP_SYS_ADMIN";
  EXPECT_EQ(WEXITSTATUS(status), 0);
}

}  // namespace
}  // namespace timepool::sys
