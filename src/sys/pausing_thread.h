// PausingThread: does one thing again and again on a thread of its own, with pauses in between.
#pragma once

#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>

#include "base/time.h"

namespace timepool::sys {

class PausingThread {
 public:
  PausingThread() = default;
  PausingThread(const PausingThread&) = delete;
  PausingThread& operator=(const PausingThread&) = delete;
  ~PausingThread() { stop(); }

  // Calls `step` when `first` is over, and again after each pause that it returns, until stop(). It
  // takes no signals. Nothing when it runs already.
  void start(Duration first, std::function<Duration()> step);
  // Ends a pause at once; waits for a step under way. It may be started again.
  void stop();

 private:
  // False when it is to end.
  bool pause(Duration duration);

  std::mutex mutex_;
  std::condition_variable stopping_;
  bool stop_ = false;
  std::thread thread_;
};

}  // namespace timepool::sys
