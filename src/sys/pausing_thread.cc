#include "sys/pausing_thread.h"

#include <chrono>
#include <utility>

#include "sys/signal_flag.h"

namespace timepool::sys {

void PausingThread::start(Duration first, std::function<Duration()> step) {
  if (thread_.joinable()) return;
  stop_ = false;
  thread_ = std::thread([this, first, step = std::move(step)] {
    block_all_signals();
    for (Duration rest = first; pause(rest);) rest = step();
  });
}

void PausingThread::stop() {
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
  }
  stopping_.notify_all();
  if (thread_.joinable()) thread_.join();
}

bool PausingThread::pause(Duration duration) {
  std::unique_lock lock(mutex_);
  return !stopping_.wait_for(lock, std::chrono::nanoseconds(duration.ns()),
                             [this] { return stop_; });
}

}  // namespace timepool::sys
