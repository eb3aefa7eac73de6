#include "sys/fd.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

namespace timepool::sys {

void Fd::reset(int fd) {
  // Linux closes the descriptor even when close() reports an error: never a second try.
  if (fd_ >= 0) ::close(fd_);
  fd_ = fd;
}

Result<void> set_nonblocking_cloexec(int fd) {
  const int flags = ::fcntl(fd, F_GETFL);
  if (flags < 0 || ::fcntl(fd, F_SETFL, flags | O_NONBLOCK) < 0) {
    return fail(system_error(errno, "fcntl O_NONBLOCK"));
  }
  const int fd_flags = ::fcntl(fd, F_GETFD);
  if (fd_flags < 0 || ::fcntl(fd, F_SETFD, fd_flags | FD_CLOEXEC) < 0) {
    return fail(system_error(errno, "fcntl FD_CLOEXEC"));
  }
  return {};
}

}  // namespace timepool::sys
