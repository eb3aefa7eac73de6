#include "sys/file_watch.h"

#include <sys/inotify.h>
#include <unistd.h>

#include <array>
#include <cerrno>

namespace timepool::sys {
namespace {

// A file that is written is of interest when its writer is done with it.
constexpr std::uint32_t kEvents =
    IN_CLOSE_WRITE | IN_CREATE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE | IN_ATTRIB | IN_ONLYDIR;

}  // namespace

Result<FileWatch> FileWatch::create() {
  Fd fd(::inotify_init1(IN_NONBLOCK | IN_CLOEXEC));
  if (!fd) return fail(system_error(errno, "inotify"));
  return FileWatch(std::move(fd));
}

Result<void> FileWatch::add(const std::string& directory) {
  if (::inotify_add_watch(fd_.number(), directory.c_str(), kEvents) < 0) {
    return fail(system_error(errno, "watch " + directory));
  }
  return {};
}

bool FileWatch::take() {
  bool any = false;
  // At least one event with the longest name.
  std::array<char, 4096> room;
  for (;;) {
    const ssize_t size = ::read(fd_.number(), room.data(), room.size());
    if (size < 0 && errno == EINTR) continue;
    if (size <= 0) return any;
    any = true;
  }
}

}  // namespace timepool::sys
