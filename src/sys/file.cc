#include "sys/file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <filesystem>

#include "sys/fd.h"
#include "sys/random.h"

namespace timepool::sys {
namespace {

Result<void> write_all(int fd, std::string_view bytes, const std::string& path) {
  while (!bytes.empty()) {
    const ssize_t count = ::write(fd, bytes.data(), bytes.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return fail(system_error(errno, "write " + path));
    bytes.remove_prefix(static_cast<std::size_t>(count));
  }
  return {};
}

Result<void> sync_directory(const std::string& path) {
  const Fd directory(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!directory || ::fsync(directory.number()) < 0) {
    return fail(system_error(errno, "fsync " + path));
  }
  return {};
}

Result<void> write_new(const std::string& temporary, std::string_view bytes, mode_t mode) {
  const Fd file(
      ::open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode));
  if (!file) return fail(system_error(errno, "create " + temporary));
  // The mode as asked, whatever the umask.
  if (::fchmod(file.number(), mode) < 0) return fail(system_error(errno, "chmod " + temporary));
  TRY(write_all(file.number(), bytes, temporary));
  if (::fsync(file.number()) < 0) return fail(system_error(errno, "fsync " + temporary));
  return {};
}

}  // namespace

std::string directory_of(const std::string& path) {
  const std::string parent = std::filesystem::path(path).parent_path().string();
  return parent.empty() ? "." : parent;
}

Result<std::string> read_file(const std::string& path, std::size_t max) {
  const Fd file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file) return fail(system_error(errno, "open " + path));
  struct stat info{};
  std::string out;
  if (::fstat(file.number(), &info) == 0 && S_ISREG(info.st_mode)) {
    out.reserve(std::min(static_cast<std::size_t>(info.st_size), max) + 1);
  }
  constexpr std::size_t kChunk = 64 << 10;
  for (;;) {
    const std::size_t size = out.size();
    out.resize(size + kChunk);
    const ssize_t count = ::read(file.number(), out.data() + size, kChunk);
    out.resize(size + static_cast<std::size_t>(std::max<ssize_t>(count, 0)));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return fail(system_error(errno, "read " + path));
    if (out.size() > max) {
      return fail(Error{ErrorCode::kExhausted, "read " + path,
                        "larger than " + std::to_string(max) + " bytes"});
    }
    if (count == 0) return out;
  }
}

Result<void> write_file_atomic(const std::string& path, std::string_view bytes, mode_t mode) {
  // A random name: a file left by a crash is never in the way.
  const std::string temporary = path + ".tmp" + std::to_string(random_u64());
  Result<void> written = write_new(temporary, bytes, mode);
  if (written.ok() && ::rename(temporary.c_str(), path.c_str()) < 0) {
    written = fail(system_error(errno, "rename to " + path));
  }
  if (!written.ok()) {
    ::unlink(temporary.c_str());
    return written;
  }
  return sync_directory(directory_of(path));
}

Result<void> write_state_file(const std::string& path, std::span<const std::byte> bytes) {
  TRY(make_directories(directory_of(path)));
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  return write_file_atomic(path, text, 0600);
}

Result<void> make_directories(const std::string& path, mode_t mode) {
  struct stat info{};
  if (::stat(path.c_str(), &info) == 0) {
    if (S_ISDIR(info.st_mode)) return {};
    return fail(Error{ErrorCode::kExists, "make directory " + path, "a file is in its place"});
  }
  const std::string parent = directory_of(path);
  if (parent != "." && parent != path) TRY(make_directories(parent, mode));
  if (::mkdir(path.c_str(), mode) < 0 && errno != EEXIST) {
    return fail(system_error(errno, "make directory " + path));
  }
  return {};
}

}  // namespace timepool::sys
