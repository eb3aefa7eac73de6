// NetworkWatch: tells that interfaces, addresses or routes of this machine changed, by the kernel's
// netlink messages. What changed is not told: whoever cares looks anew.
#pragma once

#include <sys/types.h>

#include "base/result.h"
#include "sys/fd.h"

namespace timepool::sys {

class NetworkWatch {
 public:
  // Errors: the kernel or a sandbox has no netlink for us.
  static Result<NetworkWatch> open();

  // Readable when changed() has something to take.
  int fd() const { return socket_.number(); }
  // Takes what came; true when there was something, also when more came than the kernel kept.
  bool changed();

 private:
  explicit NetworkWatch(Fd socket) : socket_(std::move(socket)) {}
  Fd socket_;
};

}  // namespace timepool::sys
