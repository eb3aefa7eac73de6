#include "net/socket_owners.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

namespace timepool::net {

SocketOwners::~SocketOwners() {
  // One that can't be given back is not ours to give: somebody else took it meanwhile.
  for (const Noted& it : noted_) {
    if (::fchown(it.fd.number(), it.user, it.group) < 0) errno = 0;
  }
}

Result<void> SocketOwners::note(std::span<const int> descriptors) {
  for (const int number : descriptors) {
    sys::Fd fd(::fcntl(number, F_DUPFD_CLOEXEC, 0));
    struct stat status{};
    if (!fd || ::fstat(fd.number(), &status) < 0) {
      return fail(system_error(errno, "note the owner of a socket"));
    }
    noted_.push_back({std::move(fd), status.st_uid, status.st_gid});
  }
  return {};
}

int SocketOwners::other_than(uid_t user) const {
  for (const Noted& it : noted_) {
    if (it.user != user) return static_cast<int>(it.user);
  }
  return -1;
}

}  // namespace timepool::net
