#include "sys/notify.h"

#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <cstring>
#include <string>

#include "sys/fd.h"

namespace timepool::sys {
namespace {

// A socket like systemd's, named in the environment.
class Notify : public ::testing::Test {
 protected:
  void listen_at(const std::string& name) {
    socket_.reset(::socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0));
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::memcpy(address.sun_path, name.data(), name.size());
    if (name[0] == '@') address.sun_path[0] = '\0';
    const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + name.size());
    ASSERT_EQ(::bind(socket_.number(), reinterpret_cast<sockaddr*>(&address), size), 0);
    ASSERT_EQ(::setenv("NOTIFY_SOCKET", name.c_str(), 1), 0);
  }
  std::string received() {
    std::array<char, 256> buffer;
    const ssize_t count = ::recv(socket_.number(), buffer.data(), buffer.size(), 0);
    return count < 0 ? "nothing" : std::string(buffer.data(), static_cast<std::size_t>(count));
  }
  void TearDown() override {
    for (const char* name : {"NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"}) ::unsetenv(name);
    if (!file_.empty()) ::unlink(file_.c_str());
  }

  Fd socket_;
  std::string file_;
};

TEST_F(Notify, tells_a_socket_file) {
  file_ = ::testing::TempDir() + "notify_" + std::to_string(::getpid());
  listen_at(file_);
  notify_ready("running");
  EXPECT_EQ(received(), "READY=1\nSTATUS=running");
  notify_reloading();
  EXPECT_EQ(received().rfind("RELOADING=1\nMONOTONIC_USEC=", 0), 0u);
  notify_status("well");
  EXPECT_EQ(received(), "STATUS=well");
  notify_watchdog();
  EXPECT_EQ(received(), "WATCHDOG=1");
  notify_stopping();
  EXPECT_EQ(received(), "STOPPING=1");
}

TEST_F(Notify, tells_an_abstract_socket) {
  listen_at("@timepool-notify-" + std::to_string(::getpid()));
  notify_ready("running");
  EXPECT_EQ(received(), "READY=1\nSTATUS=running");
}

TEST_F(Notify, without_a_usable_socket_nothing_happens) {
  for (const std::string& name :
       {std::string(), std::string("/"), std::string("relative"), std::string("/nonexistent/x"),
        "/" + std::string(sizeof(sockaddr_un::sun_path), 'x')}) {
    ASSERT_EQ(::setenv("NOTIFY_SOCKET", name.c_str(), 1), 0);
    notify_ready("running");
  }
  ASSERT_EQ(::unsetenv("NOTIFY_SOCKET"), 0);
  notify_ready("running");
}

TEST_F(Notify, the_watchdog_is_half_of_what_systemd_waits_if_it_means_us) {
  EXPECT_EQ(watchdog_interval(), Duration());
  ASSERT_EQ(::setenv("WATCHDOG_USEC", "3000000", 1), 0);
  EXPECT_EQ(watchdog_interval(), Duration::milliseconds(1500));
  ASSERT_EQ(::setenv("WATCHDOG_PID", std::to_string(::getpid()).c_str(), 1), 0);
  EXPECT_EQ(watchdog_interval(), Duration::milliseconds(1500));
  ASSERT_EQ(::setenv("WATCHDOG_PID", "1", 1), 0);
  EXPECT_EQ(watchdog_interval(), Duration());
  ASSERT_EQ(::unsetenv("WATCHDOG_PID"), 0);
  for (const char* wrong : {"", "-1", "3s", "99999999999999999999"}) {
    ASSERT_EQ(::setenv("WATCHDOG_USEC", wrong, 1), 0);
    EXPECT_EQ(watchdog_interval(), Duration()) << wrong;
  }
}

}  // namespace
}  // namespace timepool::sys
