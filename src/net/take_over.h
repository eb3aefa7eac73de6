// TakeOver: the new process's side of net/hand_over.h. It blocks: the reactor does not run yet.
//   begin()     the old one's sockets, while it still serves
//   release()   the old one gives up everything but serving
//   finish()    the old one stops and leaves; when it returns the sockets are ours alone
// Destroyed before finish() returned, the old process goes on as before. Main thread only.
#pragma once

#include <sys/types.h>

#include <boost/json/object.hpp>
#include <optional>
#include <string>

#include "net/control.h"
#include "net/inherited_sockets.h"
#include "sys/fd.h"

namespace timepool::net {

class TakeOver {
 public:
  // Adds the server sockets of the daemon whose control socket is at `path` to `sockets`; nothing
  // when nobody listens there. Errors: it refuses, or does not know how.
  static Result<std::optional<TakeOver>> begin(const std::string& path, InheritedSockets& sockets);

  // What listens at the path already.
  sys::Fd take_listener() { return std::move(listener_); }
  pid_t process() const { return process_; }
  const std::string& version() const { return version_; }

  // The state that the old process left.
  Result<boost::json::object> release();
  // Also takes in what systemd told the old process. When the old one ends without an answer, the
  // sockets are ours as well.
  Result<void> finish();

 private:
  explicit TakeOver(ControlClient client) : client_(std::move(client)) {}
  Result<ControlClient::Answer> ask(const char* phase, boost::json::object request = {});
  Result<void> receive_all(std::size_t count, InheritedSockets& sockets);

  ControlClient client_;
  sys::Fd listener_;
  pid_t process_ = 0;
  std::string version_;
  boost::json::object environment_;
};

}  // namespace timepool::net
