#include "sys/file_pieces.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <utility>
#include <vector>

#include "sys/file.h"
#include "sys/random.h"

namespace timepool::sys {
namespace {

Result<void> write_all(int fd, std::span<const std::byte> bytes, const std::string& path) {
  while (!bytes.empty()) {
    const ssize_t count = ::write(fd, bytes.data(), bytes.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return fail(system_error(errno, "write " + path));
    bytes = bytes.subspan(static_cast<std::size_t>(count));
  }
  return {};
}

}  // namespace

Result<void> sync_directory(const std::string& path) {
  const Fd directory(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!directory || ::fsync(directory.number()) < 0) {
    return fail(system_error(errno, "fsync " + path));
  }
  return {};
}

Result<FileReplacement> FileReplacement::create(const std::string& path, mode_t mode) {
  // A random name: a file left by a crash is never in the way.
  const std::string temporary = path + ".tmp" + std::to_string(random_u64());
  Fd file(::open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode));
  if (!file) return fail(system_error(errno, "create " + temporary));
  FileReplacement out(path, temporary);
  out.file_ = std::move(file);
  // The mode as asked, whatever the umask.
  if (::fchmod(out.file_.number(), mode) < 0) {
    return fail(system_error(errno, "chmod " + temporary));
  }
  return out;
}

FileReplacement::FileReplacement(FileReplacement&& other) noexcept
    : path_(std::move(other.path_)),
      temporary_(std::exchange(other.temporary_, {})),
      file_(std::move(other.file_)) {}

FileReplacement::~FileReplacement() {
  if (!temporary_.empty()) ::unlink(temporary_.c_str());
}

Result<void> FileReplacement::write(std::span<const std::byte> bytes) {
  return write_all(file_.number(), bytes, temporary_);
}

Result<void> FileReplacement::commit() {
  if (::fsync(file_.number()) < 0) return fail(system_error(errno, "fsync " + temporary_));
  if (::rename(temporary_.c_str(), path_.c_str()) < 0) {
    return fail(system_error(errno, "rename to " + path_));
  }
  temporary_.clear();
  return sync_directory(directory_of(path_));
}

Result<FileAddition> FileAddition::create(const std::string& path, std::uint64_t size) {
  Fd file(::open(path.c_str(), O_WRONLY | O_APPEND | O_CLOEXEC | O_NOFOLLOW));
  if (!file) return fail(system_error(errno, "open " + path));
  struct stat info{};
  if (::fstat(file.number(), &info) < 0) return fail(system_error(errno, "stat " + path));
  if (!S_ISREG(info.st_mode) || static_cast<std::uint64_t>(info.st_size) != size) {
    return fail(Error{ErrorCode::kInvalid, "add to " + path, "it was changed by somebody else"});
  }
  return FileAddition(path, size, std::move(file));
}

FileAddition::FileAddition(FileAddition&& other) noexcept
    : path_(std::move(other.path_)), size_(other.size_), file_(std::move(other.file_)) {}

FileAddition::~FileAddition() {
  if (file_ && ::ftruncate(file_.number(), static_cast<off_t>(size_)) < 0) {
    // Whoever reads it finds an end that does not hold.
    errno = 0;
  }
}

Result<void> FileAddition::write(std::span<const std::byte> bytes) {
  return write_all(file_.number(), bytes, path_);
}

Result<void> FileAddition::commit() {
  if (::fdatasync(file_.number()) < 0) return fail(system_error(errno, "fsync " + path_));
  file_.reset();
  return {};
}

Result<void> read_pieces(const std::string& path,
                         const std::function<bool(std::span<const std::byte>)>& take) {
  constexpr std::size_t kPiece = std::size_t{1} << 20;
  const Fd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file) return fail(system_error(errno, "open " + path));
  std::vector<std::byte> room(kPiece);
  for (;;) {
    const ssize_t count = ::read(file.number(), room.data(), room.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return fail(system_error(errno, "read " + path));
    if (count == 0) return {};
    if (!take(std::span(room).first(static_cast<std::size_t>(count)))) return {};
  }
}

}  // namespace timepool::sys
