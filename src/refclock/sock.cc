// The driver for chrony's SOCK format: a Unix datagram socket that gpsd and others write to.
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

#include "refclock/driver.h"
#include "refclock/sock_sample.h"
#include "sys/fd.h"

namespace timepool::refclock {
namespace {

using ntp::RefclockReason;

std::string describe(const std::string& path) {
  return "SOCK " + path;
}

// The file that was made here; removed with the driver, unless another took its place.
class SocketFile {
 public:
  SocketFile(std::string path, const struct stat& made)
      : path_(std::move(path)), device_(made.st_dev), inode_(made.st_ino) {}
  SocketFile(SocketFile&& other) noexcept
      : path_(std::exchange(other.path_, {})), device_(other.device_), inode_(other.inode_) {}
  SocketFile& operator=(SocketFile&&) = delete;
  ~SocketFile() {
    struct stat now{};
    if (path_.empty() || ::lstat(path_.c_str(), &now) < 0) return;
    if (now.st_dev == device_ && now.st_ino == inode_) ::unlink(path_.c_str());
  }

 private:
  std::string path_;
  dev_t device_;
  ino_t inode_;
};

class SockDriver final : public Driver {
 public:
  SockDriver(sys::Fd fd, SocketFile file) : fd_(std::move(fd)), file_(std::move(file)) {}

  int fd() const override { return fd_.number(); }

  void poll(Looks& out) override {
    while (!out.full()) {
      // One octet more than the longest format: a longer datagram is seen to be longer.
      std::array<std::byte, kSockWideSize + 1> buffer{};
      const ssize_t got = ::recv(fd_.number(), buffer.data(), buffer.size(), MSG_DONTWAIT);
      Look look;
      if (got >= 0) {
        look = parse_sock_sample(Bytes(buffer).first(static_cast<std::size_t>(got)));
      } else if (errno != EAGAIN && errno != EINTR) {
        look.reason = RefclockReason::kDeviceFailed;
      } else if (!out.empty()) {
        return;
      }
      static_cast<void>(out.push_back(look));
      if (got < 0) return;
    }
  }

 private:
  sys::Fd fd_;
  SocketFile file_;
};

Result<sockaddr_un> address_of(const std::string& path) {
  sockaddr_un out{};
  out.sun_family = AF_UNIX;
  if (path.empty() || path.size() >= sizeof out.sun_path) {
    return fail(
        Error{ErrorCode::kInvalid, describe(path),
              "the path must have 1 to " + std::to_string(sizeof out.sun_path - 1) + " bytes"});
  }
  std::memcpy(out.sun_path, path.data(), path.size());
  return out;
}

const sockaddr* generic(const sockaddr_un& address) {
  return reinterpret_cast<const sockaddr*>(&address);
}

// Removes a socket file that nobody reads from.
Result<void> remove_stale(const std::string& path, const sockaddr_un& address) {
  struct stat info{};
  if (::lstat(path.c_str(), &info) < 0) return {};
  if (!S_ISSOCK(info.st_mode)) {
    return fail(Error{ErrorCode::kExists, describe(path), "a file that is not a socket is there"});
  }
  const sys::Fd probe(::socket(AF_UNIX, SOCK_DGRAM, 0));
  if (!probe.valid()) return fail(system_error(errno, describe(path)));
  if (::connect(probe.number(), generic(address), sizeof address) == 0) {
    return fail(Error{ErrorCode::kExists, describe(path), "another program reads from it"});
  }
  if (errno != ECONNREFUSED) return fail(system_error(errno, describe(path)));
  if (::unlink(path.c_str()) < 0) return fail(system_error(errno, "remove stale " + path));
  return {};
}

}  // namespace

Result<std::unique_ptr<Driver>> open_sock(const SockOptions& options) {
  const sockaddr_un address = TRY(address_of(options.path));
  TRY(remove_stale(options.path, address));
  sys::Fd fd(::socket(AF_UNIX, SOCK_DGRAM, 0));
  if (!fd.valid()) return fail(system_error(errno, describe(options.path)));
  TRY(sys::set_nonblocking_cloexec(fd.number()));
  // The mask gives the file its mode as it is made: a chmod afterwards would leave a moment in
  // which others may write, and could be led to another file.
  const mode_t old = ::umask(static_cast<mode_t>(~options.mode & 0777U));
  const int bound = ::bind(fd.number(), generic(address), sizeof address);
  const int error = errno;
  ::umask(old);
  if (bound < 0) return fail(system_error(error, describe(options.path)));
  struct stat made{};
  if (::lstat(options.path.c_str(), &made) < 0) {
    return fail(system_error(errno, describe(options.path)));
  }
  return std::unique_ptr<Driver>(
      std::make_unique<SockDriver>(std::move(fd), SocketFile(options.path, made)));
}

}  // namespace timepool::refclock
