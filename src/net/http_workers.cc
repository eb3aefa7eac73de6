#include "net/http_workers.h"

#include <utility>

namespace timepool::net {

HttpWorkers::HttpWorkers(unsigned count) {
  for (unsigned i = 0; i < (count == 0 ? 1 : count); ++i) {
    threads_.emplace_back([this] { run(); });
  }
}

HttpWorkers::~HttpWorkers() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    queue_.clear();
  }
  changed_.notify_all();
  for (std::thread& thread : threads_) thread.join();
}

void HttpWorkers::post(std::function<void()> work) {
  {
    const std::lock_guard lock(mutex_);
    if (stopping_) return;
    queue_.push_back(std::move(work));
  }
  changed_.notify_one();
}

void HttpWorkers::run() {
  for (;;) {
    std::function<void()> work;
    {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [this] { return stopping_ || !queue_.empty(); });
      if (stopping_) return;
      work = std::move(queue_.front());
      queue_.pop_front();
    }
    work();
  }
}

}  // namespace timepool::net
