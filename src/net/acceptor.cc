#include "net/acceptor.h"

#include <poll.h>
#include <sys/socket.h>

#include <cerrno>
#include <utility>

#include "sys/clock.h"

namespace timepool::net {

void Acceptor::start(sys::Fd listener, Sink sink) {
  listener_ = std::move(listener);
  sink_ = std::move(sink);
  watch_ = reactor_.watch(listener_.number(), POLLIN, [this](short) { accept_one(); });
}

void Acceptor::hold() {
  held_ = true;
  watch_.set_events(0);
}

void Acceptor::resume() {
  held_ = false;
  watch_.set_events(POLLIN);
}

void Acceptor::accept_one() {
  sys::Fd fd(::accept(listener_.number(), nullptr, nullptr));
  if (!fd) {
    if (errno != EMFILE && errno != ENFILE && errno != ENOBUFS && errno != ENOMEM) return;
    watch_.set_events(0);
    pause_ = reactor_.at(sys::mono_now() + kPause, [this] {
      if (!held_) watch_.set_events(POLLIN);
    });
    return;
  }
  if (sys::set_nonblocking_cloexec(fd.number()).ok()) sink_(std::move(fd));
}

}  // namespace timepool::net
