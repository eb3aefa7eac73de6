// Succession: a daemon's place in the row of processes that hold the same sockets: what it takes
// from the one before, which is systemd or a daemon that runs, and how it gives way to the one
// after it. What a daemon does beside its sockets then, it says itself. Main thread only; a member
// that is destroyed after all that uses the sockets: until then the process before waits to go on.
#pragma once

#include <sys/types.h>

#include <boost/json/object.hpp>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "net/control.h"
#include "net/hand_over.h"
#include "net/inherited_sockets.h"
#include "net/kept_sockets.h"
#include "net/reactor.h"
#include "net/socket_owners.h"
#include "net/take_over.h"
#include "sys/log.h"

namespace timepool::net {

class Succession {
 public:
  // How a daemon begins: alone, or in the place of the one that answers at the control socket, if
  // one does.
  enum class Begin : unsigned char { kAlone, kTakeOver };
  // What must be the user's already that this process becomes: who has given up its rights can give
  // nothing back when its start fails after that.
  enum class Owned : unsigned char { kSockets, kControlFile };

  struct Steps {
    // The server sockets now, in their order.
    std::function<std::vector<int>()> descriptors;
    // Gives up what only one process may have; what is returned is for the successor.
    std::function<boost::json::object()> release;
    // Ends the answering.
    std::function<void()> stop;
    // Everything again as before release().
    std::function<void()> resume;
  };

  // systemd keeps the sockets as "`prefix`0" and so on.
  Succession(Reactor& reactor, sys::Logger& logger, std::string prefix, Owned owned)
      : reactor_(reactor), logger_(logger), kept_sockets_(std::move(prefix)), owned_(owned) {}

  // --- the process before ---
  // Takes over the sockets. `user`: [sandbox] user, empty: the one that this process is. Errors
  // name the setting; the process before goes on.
  Result<void> inherit(Begin begin, const std::string& control_socket, const std::string& user);
  bool takes_over() const { return predecessor_.has_value(); }
  InheritedSockets& inherited() { return inherited_; }
  // What listens at the control socket already; none alone.
  sys::Fd take_listener() { return takes_over() ? predecessor_->take_listener() : sys::Fd(); }
  // All is bound: the sockets stay as they are now.
  void keep_owners() { owners_.keep(); }
  // The process before gives up everything but answering; its state. Empty alone.
  Result<boost::json::object> release_predecessor();
  // It stops and leaves; when this returns the sockets are ours alone. Nothing to do alone.
  Result<void> finish();

  // --- the process after ---
  // Adds the command to `control`, which must outlive the reactor's run; `leave` is called when the
  // successor is in charge, behind stopping the reactor.
  void offer(ControlServer& control, Steps steps);
  // So that a restart by systemd loses nothing: what comes between the end of this process and the
  // next one waits in the sockets.
  void keep(const std::vector<int>& descriptors) { kept_sockets_.keep(descriptors); }
  // To a process that takes over, until it fails; and whether it is in charge.
  bool released() const { return released_; }
  bool left() const { return left_; }
  // Error: kUnavailable for `what`, while another process is taking over.
  Result<void> must_hold(const char* what) const;

 private:
  Result<void> note_owners(const std::string& control_socket, const std::string& user);

  Reactor& reactor_;
  sys::Logger& logger_;
  SocketOwners owners_;  // of the process before
  std::optional<TakeOver> predecessor_;
  InheritedSockets inherited_;
  KeptSockets kept_sockets_;
  Owned owned_;
  Steps steps_;
  std::unique_ptr<HandOver> hand_over_;
  bool released_ = false;
  bool left_ = false;
};

}  // namespace timepool::net
