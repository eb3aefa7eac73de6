// The two makers behind Resolver::create().
#pragma once

#include <signal.h>

#include <memory>

#include "net/resolver.h"

namespace timepool::net {

// getaddrinfo.
Result<std::unique_ptr<Resolver>> make_system_resolver(const ResolverOptions& options);
// libunbound; options.servers is not empty.
Result<std::unique_ptr<Resolver>> make_unbound_resolver(const ResolverOptions& options);

// While it lives, threads that are started inherit a mask of all signals: these stay with the main
// thread, whose poll(2) they must interrupt.
class SignalsBlocked {
 public:
  SignalsBlocked() {
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before_);
  }
  SignalsBlocked(const SignalsBlocked&) = delete;
  SignalsBlocked& operator=(const SignalsBlocked&) = delete;
  ~SignalsBlocked() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }

 private:
  sigset_t before_;
};

}  // namespace timepool::net
