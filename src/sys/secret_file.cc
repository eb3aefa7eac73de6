#include "sys/secret_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>

#include "sys/fd.h"
#include "sys/file.h"
#include "sys/random.h"

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

Result<void> write_durably(int fd, std::string_view text, const std::string& path) {
  errno = 0;
  if (::write(fd, text.data(), text.size()) != static_cast<ssize_t>(text.size())) {
    return fail(system_error(errno == 0 ? ENOSPC : errno, "write " + path));
  }
  if (::fsync(fd) < 0) return fail(system_error(errno, "fsync " + path));
  return {};
}

Result<void> sync_parent(const std::string& path) {
  const std::string parent = directory_of(path);
  const Fd directory(::open(parent.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!directory || ::fsync(directory.number()) < 0) {
    return fail(system_error(errno, "fsync " + parent));
  }
  return {};
}

// Renames unless `to` is there; by a link where the file system can't.
bool rename_new(const std::string& from, const std::string& to) {
  if (::renameat2(AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str(), RENAME_NOREPLACE) == 0) return true;
  return (errno == EINVAL || errno == ENOSYS) && ::link(from.c_str(), to.c_str()) == 0;
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

Result<void> create_secret_file(const std::string& path, std::string_view text) {
  // Under another name until it is whole: half a key, left by a crash, would stop every later
  // start.
  const std::string temporary = path + ".tmp" + std::to_string(random_u64());
  const Fd file(
      ::open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!file) return fail(system_error(errno, "create key file " + path));
  Result<void> written = write_durably(file.number(), text, path);
  if (written.ok() && !rename_new(temporary, path)) {
    written = fail(system_error(errno, "create key file " + path));
  }
  ::unlink(temporary.c_str());
  TRY(written);
  return sync_parent(path);
}

}  // namespace timepool::sys
