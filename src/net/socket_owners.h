// SocketOwners: whose the server sockets of a running daemon are while this process takes over from
// it. The system lets only sockets of one user share a port, so a start makes those it was handed
// its own, adds others, and gives all to [sandbox] user. They are the same sockets that the running
// daemon goes on with if this process fails, with peers that join them on their port: then they
// must be as they were. Main thread only, and before the sandbox is entered: after that nobody can
// give anything to another user.
#pragma once

#include <sys/types.h>

#include <span>
#include <vector>

#include "base/result.h"
#include "sys/fd.h"

namespace timepool::net {

class SocketOwners {
 public:
  SocketOwners() = default;
  SocketOwners(const SocketOwners&) = delete;
  SocketOwners& operator=(const SocketOwners&) = delete;
  // What was noted is given back.
  ~SocketOwners();

  // Keeps a descriptor of each. Errors: too many are open.
  Result<void> note(std::span<const int> descriptors);
  // The first that belongs to another than `user`; -1: none does.
  int other_than(uid_t user) const;
  // Lets all be as they are now.
  void keep() { noted_.clear(); }

 private:
  struct Noted {
    sys::Fd fd;
    uid_t user;
    gid_t group;
  };
  std::vector<Noted> noted_;
};

}  // namespace timepool::net
