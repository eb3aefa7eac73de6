// ResolverWatch: a reactor that calls a resolver's process() when its descriptor is readable and
// when its deadline has passed.
#pragma once

#include <poll.h>

#include "net/reactor.h"
#include "sys/clock.h"

namespace timepool::net {

// `R` is Resolver or ServiceResolver. Not to be moved: the reactor's calls come to where it is.
template <class R>
class ResolverWatch {
 public:
  explicit ResolverWatch(Reactor& reactor) : reactor_(reactor) {}
  ResolverWatch(const ResolverWatch&) = delete;
  ResolverWatch& operator=(const ResolverWatch&) = delete;

  // After each call to the resolver, which may change its descriptor and its deadline. `resolver`
  // outlives this.
  void follow(R& resolver) {
    const auto run = [this, &resolver] {
      resolver.process(sys::mono_now());
      follow(resolver);
    };
    if (resolver.fd() != fd_) {
      fd_ = resolver.fd();
      readable_.stop();
      if (fd_ >= 0) readable_ = reactor_.watch(fd_, POLLIN, [run](short) { run(); });
    }
    const MonoTime deadline = resolver.next_deadline();
    if (deadline == MonoTime::max()) {
      timer_.cancel();
    } else {
      timer_ = reactor_.at(deadline, run);
    }
  }

 private:
  Reactor& reactor_;
  int fd_ = -1;
  Watch readable_;
  Timer timer_;
};

}  // namespace timepool::net
