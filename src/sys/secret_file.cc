#include "sys/secret_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "sys/fd.h"

namespace timepool::sys {
namespace {

Result<std::size_t> check_file(int fd, const std::string& path, SecretGroup group) {
  struct stat info{};
  if (::fstat(fd, &info) < 0) return fail(system_error(errno, "stat " + path));
  if (!S_ISREG(info.st_mode)) {
    return fail(Error{ErrorCode::kDenied, "key file " + path, "not a plain file"});
  }
  const mode_t group_read = group == SecretGroup::kMayRead ? S_IRGRP : 0;
  if ((info.st_mode & 077 & ~group_read) != 0) {
    return fail(Error{ErrorCode::kDenied, "key file " + path,
                      "others may read or write it: chmod " +
                          std::string(group_read == 0 ? "600" : "640") +
                          ", and make new keys if others had access"});
  }
  return static_cast<std::size_t>(info.st_size);
}

}  // namespace

Result<std::string> read_secret_file(const std::string& path, std::size_t max, SecretGroup group) {
  // Without O_NONBLOCK, opening a FIFO in its place would wait for ever.
  const Fd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!file) return fail(system_error(errno, "open key file " + path));
  const std::size_t size = TRY(check_file(file.number(), path, group));
  if (size > max) {
    return fail(Error{ErrorCode::kExhausted, "key file " + path,
                      "more than " + std::to_string(max) + " octets"});
  }
  // One buffer, made once: growing it would leave copies of secrets behind.
  std::string out(size, '\0');
  std::size_t have = 0;
  while (have < size) {
    const ssize_t count = ::read(file.number(), out.data() + have, size - have);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return fail(system_error(errno, "read key file " + path));
    if (count == 0) break;
    have += static_cast<std::size_t>(count);
  }
  out.resize(have);
  return out;
}

}  // namespace timepool::sys
