#include "sys/file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>

#include "sys/fd.h"
#include "sys/file_pieces.h"

namespace timepool::sys {

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
  FileReplacement file = TRY(FileReplacement::create(path, mode));
  TRY(file.write(std::as_bytes(std::span(bytes))));
  return file.commit();
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
  if (::mkdir(path.c_str(), mode) < 0) {
    if (errno != EEXIST) return fail(system_error(errno, "make directory " + path));
    return {};
  }
  // What is acknowledged in it goes with it. Who may make one may be forbidden to read its parent.
  const Result<void> synced = sync_directory(parent);
  return synced.ok() || synced.error().code == ErrorCode::kDenied ? Result<void>() : synced;
}

}  // namespace timepool::sys
