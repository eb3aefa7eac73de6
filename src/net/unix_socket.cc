#include "net/unix_socket.h"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstring>
#include <thread>

#include "sys/clock.h"
#include "sys/udp_socket.h"

namespace timepool::net {
namespace {

// Between two tries to connect to a listener with a full queue.
constexpr std::chrono::milliseconds kRetry{5};

Result<sockaddr_un> address_of(const std::string& path) {
  sockaddr_un out{};
  out.sun_family = AF_UNIX;
  if (path.empty() || path.size() >= sizeof out.sun_path) {
    return fail(
        Error{ErrorCode::kInvalid, "Unix socket " + path,
              "the path must have 1 to " + std::to_string(sizeof out.sun_path - 1) + " bytes"});
  }
  std::memcpy(out.sun_path, path.data(), path.size());
  return out;
}

int connect_to(int fd, const sockaddr_un& address) {
  return ::connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address);
}

// Removes a socket file that nobody listens at.
Result<void> remove_stale(const std::string& path, const sockaddr_un& address) {
  struct stat info{};
  if (::lstat(path.c_str(), &info) < 0) return {};
  const std::string what = "listen at " + path;
  if (!S_ISSOCK(info.st_mode)) {
    return fail(Error{ErrorCode::kExists, what, "a file that is not a socket is in its place"});
  }
  const sys::Fd probe = TRY(sys::make_socket(AF_UNIX, SOCK_STREAM));
  if (connect_to(probe.number(), address) == 0 || errno == EAGAIN) {
    return fail(Error{ErrorCode::kExists, what, "another program listens there"});
  }
  if (errno != ECONNREFUSED) return fail(system_error(errno, what));
  if (::unlink(path.c_str()) < 0) return fail(system_error(errno, "remove stale " + path));
  return {};
}

}  // namespace

Result<sys::Fd> listen_unix(const std::string& path, unsigned mode, int backlog) {
  const sockaddr_un address = TRY(address_of(path));
  TRY(remove_stale(path, address));
  sys::Fd fd = TRY(sys::make_socket(AF_UNIX, SOCK_STREAM));
  // The mask gives the file its mode as it is made: a chmod afterwards would leave a moment in
  // which others may connect. The mask is the process's, so this comes before threads start.
  const mode_t old = ::umask(static_cast<mode_t>(~mode & 0777));
  const int bound =
      ::bind(fd.number(), reinterpret_cast<const sockaddr*>(&address), sizeof address);
  const int error = errno;
  ::umask(old);
  if (bound < 0) return fail(system_error(error, "listen at " + path));
  if (::listen(fd.number(), backlog) < 0) return fail(system_error(errno, "listen at " + path));
  return fd;
}

Result<sys::Fd> connect_unix(const std::string& path, Duration patience) {
  const sockaddr_un address = TRY(address_of(path));
  sys::Fd fd = TRY(sys::make_socket(AF_UNIX, SOCK_STREAM));
  const MonoTime end = sys::mono_now() + patience;
  while (connect_to(fd.number(), address) < 0) {
    if (errno != EAGAIN || sys::mono_now() >= end) {
      return fail(system_error(errno, "connect to " + path));
    }
    std::this_thread::sleep_for(kRetry);
  }
  return fd;
}

}  // namespace timepool::net
