// Fd: owns a file descriptor and closes it once.
#pragma once

#include <utility>

#include "base/result.h"

namespace timepool::sys {

class Fd {
 public:
  Fd() = default;
  // Takes ownership; -1 is none.
  explicit Fd(int fd) : fd_(fd) {}
  Fd(Fd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Fd& operator=(Fd&& other) noexcept {
    if (this != &other) reset(std::exchange(other.fd_, -1));
    return *this;
  }
  Fd(const Fd&) = delete;
  Fd& operator=(const Fd&) = delete;
  ~Fd() { reset(); }

  int number() const { return fd_; }
  bool valid() const { return fd_ >= 0; }
  explicit operator bool() const { return valid(); }
  // Closes what it held.
  void reset(int fd = -1);
  // Gives up ownership.
  int release() { return std::exchange(fd_, -1); }

 private:
  int fd_ = -1;
};

// O_NONBLOCK and FD_CLOEXEC by fcntl, for descriptors that could not be made with them.
Result<void> set_nonblocking_cloexec(int fd);

}  // namespace timepool::sys
