// Signals as flags: the handler sets a flag, the interrupted poll(2) returns with EINTR and the
// loop looks. No pipe and no signalfd, so it works unchanged in a network simulator.
#pragma once

#include "base/result.h"

namespace timepool::sys {

// Handles `signal` from now on, without SA_RESTART; one of SIGTERM, SIGINT, SIGHUP, SIGUSR1,
// SIGUSR2, SIGCHLD.
Result<void> catch_signal(int signal);
// Whether the signal came since the last call.
bool take_signal(int signal);
// Whether it came, without taking it.
bool signal_pending(int signal);

// SIGPIPE and SIGXFSZ are ignored: a peer that went and a file that may not grow are errors of
// write().
void ignore_sigpipe();
// For worker threads: all signals go to the main thread.
void block_all_signals();

}  // namespace timepool::sys
