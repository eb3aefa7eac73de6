// Acceptor: takes the connections of a listening stream socket on the reactor. Without descriptors
// or memory the socket would be ready again at once and the loop would spin: then it is left alone
// for a moment. One thread.
#pragma once

#include <functional>

#include "net/reactor.h"
#include "sys/fd.h"

namespace timepool::net {

class Acceptor {
 public:
  // How long the socket is left alone after an accept that would fail again at once.
  static constexpr Duration kPause = Duration::milliseconds(100);
  // A connection that neither blocks nor outlives an exec.
  using Sink = std::function<void(sys::Fd)>;

  explicit Acceptor(Reactor& reactor) : reactor_(reactor) {}
  Acceptor(const Acceptor&) = delete;
  Acceptor& operator=(const Acceptor&) = delete;

  // `listener` listens already and does not block.
  void start(sys::Fd listener, Sink sink);
  bool listening() const { return listener_.valid(); }
  int listener() const { return listener_.number(); }
  // Connections wait in the kernel's queue until resume().
  void hold();
  void resume();

 private:
  void accept_one();

  Reactor& reactor_;
  Sink sink_;
  sys::Fd listener_;
  Watch watch_;
  Timer pause_;
  bool held_ = false;
};

}  // namespace timepool::net
