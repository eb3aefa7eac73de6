// The protocol of sd_notify(3) itself, a datagram to the Unix socket that $NOTIFY_SOCKET names:
// libsystemd would bring compressors and a cryptographic library into every daemon, a megabyte of
// resident memory.
#include "sys/notify.h"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <string>

#include "sys/clock.h"
#include "sys/fd.h"

namespace timepool::sys {
namespace {

// An unsigned number and nothing else; 0 where there is none.
std::uint64_t number_in(const char* variable) {
  const char* text = std::getenv(variable);
  if (text == nullptr) return 0;
  const char* end = text + std::strlen(text);
  std::uint64_t out = 0;
  const auto [stop, error] = std::from_chars(text, end, out);
  return error == std::errc() && stop == end ? out : 0;
}

// What can't be told is not told: systemd notices by itself that READY=1 or WATCHDOG=1 is missing.
void notify(const std::string& state, int fd = -1) {
  const char* path = std::getenv("NOTIFY_SOCKET");
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path == nullptr || (path[0] != '/' && path[0] != '@')) return;
  const std::size_t length = std::strlen(path);
  if (length < 2 || length >= sizeof address.sun_path) return;
  std::memcpy(address.sun_path, path, length);
  // An abstract name begins with a zero byte.
  if (path[0] == '@') address.sun_path[0] = '\0';
  const Fd socket(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (!socket) return;
  const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + length);
  // sendmsg does not write through the buffer.
  iovec part{const_cast<char*>(state.data()), state.size()};
  msghdr message{};
  message.msg_name = &address;
  message.msg_namelen = size;
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  alignas(cmsghdr) std::array<std::byte, CMSG_SPACE(sizeof fd)> control{};
  if (fd >= 0) {
    message.msg_control = control.data();
    message.msg_controllen = control.size();
    cmsghdr* header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof fd);
    std::memcpy(CMSG_DATA(header), &fd, sizeof fd);
  }
  const ssize_t sent = ::sendmsg(socket.number(), &message, MSG_NOSIGNAL);
  static_cast<void>(sent);
}

// Whether the variable is absent, or names this process.
bool means_us(const char* variable) {
  return std::getenv(variable) == nullptr ||
         number_in(variable) == static_cast<std::uint64_t>(::getpid());
}

}  // namespace

void notify_ready(std::string_view status) {
  notify("READY=1\nSTATUS=" + std::string(status));
}

void notify_reloading() {
  // Type=notify-reload wants the monotonic time of the reload.
  notify("RELOADING=1\nMONOTONIC_USEC=" + std::to_string(mono_now().ns() / 1000));
}

void notify_stopping() {
  notify("STOPPING=1");
}

void notify_watchdog() {
  notify("WATCHDOG=1");
}

Duration watchdog_interval() {
  const std::uint64_t us = number_in("WATCHDOG_USEC");
  constexpr std::uint64_t kLongest = 86'400'000'000;
  // The variables may be another process's that started us.
  if (!means_us("WATCHDOG_PID")) return {};
  return Duration::microseconds(static_cast<std::int64_t>(std::min(us, kLongest) / 2));
}

void notify_main_pid(pid_t pid) {
  notify("MAINPID=" + std::to_string(pid));
}

void notify_keep(int fd, const std::string& name) {
  // Without FDPOLL=0 an error that is pending at the socket would end its keeping.
  notify("FDSTORE=1\nFDPOLL=0\nFDNAME=" + name, fd);
}

void notify_drop(const std::string& name) {
  notify("FDSTOREREMOVE=1\nFDNAME=" + name);
}

std::vector<GivenDescriptor> take_given_descriptors() {
  // sd_listen_fds(3): from this number on, without gaps.
  constexpr int kFirst = 3;
  std::vector<GivenDescriptor> out;
  const char* pid = std::getenv("LISTEN_PID");
  const auto count =
      static_cast<std::size_t>(std::min<std::uint64_t>(number_in("LISTEN_FDS"), kMaxGiven));
  if (pid == nullptr || !means_us("LISTEN_PID")) return out;
  const char* names = std::getenv("LISTEN_FDNAMES");
  std::string_view left = names == nullptr ? std::string_view() : std::string_view(names);
  for (std::size_t i = 0; i < count; ++i) {
    const int number = kFirst + static_cast<int>(i);
    const std::size_t end = std::min(left.find(':'), left.size());
    std::string name(left.substr(0, end));
    left.remove_prefix(std::min(end + 1, left.size()));
    if (!set_nonblocking_cloexec(number).ok()) continue;  // not open
    out.push_back({Fd(number), name.empty() ? "unknown" : std::move(name)});
  }
  for (const char* used : {"LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES"}) ::unsetenv(used);
  return out;
}

}  // namespace timepool::sys
