#include "sys/notify.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <cstring>
#include <string>

#include "sys/fd.h"
#include "sys/temporary_directory.h"

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
    for (const char* name : {"NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID", "LISTEN_PID",
                             "LISTEN_FDS", "LISTEN_FDNAMES"}) {
      ::unsetenv(name);
    }
  }

  Fd socket_;
};

TEST_F(Notify, tells_a_socket_file) {
  const TemporaryDirectory temporary;
  listen_at(temporary.path() + "/notify");
  notify_ready("running");
  EXPECT_EQ(received(), "READY=1\nSTATUS=running");
  notify_reloading();
  EXPECT_EQ(received().rfind("RELOADING=1\nMONOTONIC_USEC=", 0), 0u);
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

TEST_F(Notify, tells_of_another_main_process) {
  listen_at("@timepool-notify-" + std::to_string(::getpid()));
  notify_main_pid(4321);
  EXPECT_EQ(received(), "MAINPID=4321");
}

TEST_F(Notify, gives_systemd_a_descriptor_to_keep) {
  listen_at("@timepool-notify-" + std::to_string(::getpid()));
  std::array<int, 2> pipe{};
  ASSERT_EQ(::pipe(pipe.data()), 0);
  const Fd reader(pipe[0]);
  const Fd writer(pipe[1]);
  notify_keep(writer.number(), "ntp-0");
  std::array<char, 256> buffer{};
  iovec part{buffer.data(), buffer.size()};
  alignas(cmsghdr) std::array<std::byte, CMSG_SPACE(sizeof(int))> control{};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = control.data();
  message.msg_controllen = control.size();
  const ssize_t count = ::recvmsg(socket_.number(), &message, 0);
  ASSERT_GT(count, 0);
  EXPECT_EQ(std::string(buffer.data(), static_cast<std::size_t>(count)),
            "FDSTORE=1\nFDPOLL=0\nFDNAME=ntp-0");
  const cmsghdr* header = CMSG_FIRSTHDR(&message);
  ASSERT_NE(header, nullptr);
  int number = -1;
  std::memcpy(&number, CMSG_DATA(header), sizeof number);
  const Fd kept(number);
  ASSERT_EQ(::write(kept.number(), "x", 1), 1);
  EXPECT_EQ(::read(reader.number(), buffer.data(), 1), 1);
  notify_drop("ntp-0");
  EXPECT_EQ(received(), "FDSTOREREMOVE=1\nFDNAME=ntp-0");
}

TEST_F(Notify, descriptors_that_are_not_for_this_process_are_not_touched) {
  EXPECT_TRUE(take_given_descriptors().empty());
  ASSERT_EQ(::setenv("LISTEN_FDS", "1", 1), 0);
  EXPECT_TRUE(take_given_descriptors().empty()) << "no LISTEN_PID";
  ASSERT_EQ(::setenv("LISTEN_PID", "1", 1), 0);
  EXPECT_TRUE(take_given_descriptors().empty());
  // The variables are another's still.
  EXPECT_STREQ(std::getenv("LISTEN_FDS"), "1");
  for (const char* wrong : {"", "-1", "x"}) {
    ASSERT_EQ(::setenv("LISTEN_FDS", wrong, 1), 0);
    ASSERT_EQ(::setenv("LISTEN_PID", std::to_string(::getpid()).c_str(), 1), 0);
    EXPECT_TRUE(take_given_descriptors().empty()) << wrong;
  }
  EXPECT_EQ(std::getenv("LISTEN_PID"), nullptr);
}

// In a child, since the numbers are fixed.
TEST_F(Notify, descriptors_come_once_and_by_name) {
  EXPECT_EXIT(
      {
        const int null = ::open("/dev/null", O_RDONLY);
        bool ok = ::dup2(null, 10) == 10;
        for (const int number : {3, 5}) ok = ok && ::dup2(10, number) == number;
        ::close(4);
        ::setenv("LISTEN_PID", std::to_string(::getpid()).c_str(), 1);
        ::setenv("LISTEN_FDS", "3", 1);
        ::setenv("LISTEN_FDNAMES", "ntp-0:ntp-1", 1);
        const auto given = take_given_descriptors();
        ok = ok && given.size() == 2 && given[0].fd.number() == 3 && given[0].name == "ntp-0" &&
             given[1].fd.number() == 5 && given[1].name == "unknown";
        ok = ok && std::getenv("LISTEN_FDS") == nullptr && take_given_descriptors().empty();
        std::_Exit(ok ? 0 : 1);
      },
      ::testing::ExitedWithCode(0), "");
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
