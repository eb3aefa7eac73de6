#include "sys/signal_flag.h"

#include <pthread.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <string>

#include "base/check.h"

namespace timepool::sys {
namespace {

// Signal handlers have no argument of ours: this is the one place that needs process-wide state.
std::array<volatile std::sig_atomic_t, 65> flags{};

extern "C" void set_flag(int signal) {
  if (signal > 0 && signal < 65) flags[static_cast<std::size_t>(signal)] = 1;
}

}  // namespace

Result<void> catch_signal(int signal) {
  CHECK(signal > 0 && signal < 65);
  struct sigaction action{};
  action.sa_handler = set_flag;
  sigemptyset(&action.sa_mask);
  if (::sigaction(signal, &action, nullptr) < 0) {
    return fail(system_error(errno, "sigaction " + std::to_string(signal)));
  }
  return {};
}

bool take_signal(int signal) {
  CHECK(signal > 0 && signal < 65);
  volatile std::sig_atomic_t& flag = flags[static_cast<std::size_t>(signal)];
  if (flag == 0) return false;
  flag = 0;
  return true;
}

bool signal_pending(int signal) {
  CHECK(signal > 0 && signal < 65);
  return flags[static_cast<std::size_t>(signal)] != 0;
}

void ignore_sigpipe() {
  struct sigaction action{};
  action.sa_handler = SIG_IGN;
  ::sigaction(SIGPIPE, &action, nullptr);
  ::sigaction(SIGXFSZ, &action, nullptr);
}

void block_all_signals() {
  sigset_t all;
  sigfillset(&all);
  ::pthread_sigmask(SIG_BLOCK, &all, nullptr);
}

}  // namespace timepool::sys
