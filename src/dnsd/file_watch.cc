#include "dnsd/file_watch.h"

#include <utility>

#include "sys/signal_flag.h"

namespace timepool::dnsd {

void FileWatch::start(std::chrono::milliseconds interval, std::function<void()> look) {
  if (thread_.joinable()) return;
  stop_ = false;
  thread_ = std::thread([this, interval, look = std::move(look)] {
    sys::block_all_signals();
    std::unique_lock lock(mutex_);
    while (!stopped_.wait_for(lock, interval, [this] { return stop_; })) {
      lock.unlock();
      look();
      lock.lock();
    }
  });
}

void FileWatch::stop() {
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
  }
  stopped_.notify_all();
  if (thread_.joinable()) thread_.join();
}

}  // namespace timepool::dnsd
