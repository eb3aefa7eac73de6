#include "up/directory.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <utility>

#include "sys/file.h"

namespace timepool::up {
namespace {

namespace fs = std::filesystem;

// A socket's path has 107 bytes at most; "/run/monitor-2.sock" and the like take up to 24 of them.
constexpr std::size_t kMaxPath = 83;

Result<std::string> make_temporary() {
  const char* parent = std::getenv("TMPDIR");
  std::string name =
      std::string(parent != nullptr && *parent != '\0' ? parent : "/tmp") + "/timepool-up-XXXXXX";
  if (::mkdtemp(name.data()) == nullptr) return fail(system_error(errno, "make " + name));
  return name;
}

Result<std::string> make_given(const std::string& path) {
  std::error_code error;
  const std::string absolute = fs::absolute(path, error).lexically_normal().string();
  if (error) return fail(system_error(error.value(), "--dir " + path));
  auto made = sys::make_directories(absolute, 0700);
  if (!made.ok()) {
    made.error().operation = "--dir: " + made.error().operation;
    return fail(made.error());
  }
  return absolute;
}

}  // namespace

Result<PoolDirectory> PoolDirectory::open(const std::optional<std::string>& path) {
  PoolDirectory out(path ? TRY(make_given(*path)) : TRY(make_temporary()), !path);
  while (out.path_.size() > 1 && out.path_.ends_with('/')) out.path_.pop_back();
  if (out.path_.size() > kMaxPath) {
    return fail(Error{ErrorCode::kInvalid, "--dir " + out.path_,
                      "at most 83 bytes, since Unix sockets stand in it: choose a shorter path"});
  }
  const std::string lock = out.path_ + "/lock";
  out.lock_ = sys::Fd(::open(lock.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  if (!out.lock_) return fail(system_error(errno, "open " + lock));
  if (::flock(out.lock_.number(), LOCK_EX | LOCK_NB) != 0) {
    return fail(Error{ErrorCode::kUnavailable, "--dir " + out.path_,
                      "another `timepool up` uses this directory: end it or choose another"});
  }
  for (const char* inside : {"/run", "/log"}) {
    TRY(sys::make_directories(out.path_ + inside, 0700));
  }
  return out;
}

PoolDirectory::PoolDirectory(PoolDirectory&& other) noexcept
    : path_(std::move(other.path_)),
      temporary_(std::exchange(other.temporary_, false)),
      lock_(std::move(other.lock_)) {}

PoolDirectory::~PoolDirectory() {
  if (!temporary_) return;
  std::error_code ignored;
  fs::remove_all(path_, ignored);
}

}  // namespace timepool::up
