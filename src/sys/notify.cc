// The protocol of sd_notify(3) itself, a datagram to the Unix socket that $NOTIFY_SOCKET names:
// libsystemd would bring compressors and a cryptographic library into every daemon, a megabyte of
// resident memory.
#include "sys/notify.h"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
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
void notify(const std::string& state) {
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
  const ssize_t sent = ::sendto(socket.number(), state.data(), state.size(), MSG_NOSIGNAL,
                                reinterpret_cast<const sockaddr*>(&address), size);
  static_cast<void>(sent);
}

}  // namespace

void notify_ready(std::string_view status) {
  notify("READY=1\nSTATUS=" + std::string(status));
}

void notify_status(std::string_view status) {
  notify("STATUS=" + std::string(status));
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
  const std::uint64_t pid = number_in("WATCHDOG_PID");
  // The variables may be another process's that started us.
  const bool ours =
      std::getenv("WATCHDOG_PID") == nullptr || pid == static_cast<std::uint64_t>(::getpid());
  constexpr std::uint64_t kLongest = 86'400'000'000;
  return ours ? Duration::microseconds(static_cast<std::int64_t>(std::min(us, kLongest) / 2))
              : Duration();
}

}  // namespace timepool::sys
