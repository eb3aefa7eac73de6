// HttpWorkers: the threads that run blocking HTTP handlers. The queue is bounded by its one user,
// the server, which admits at most HttpServerLimits::in_flight requests.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace timepool::net {

class HttpWorkers {
 public:
  explicit HttpWorkers(unsigned count);
  // Drops what is queued, waits for what runs.
  ~HttpWorkers();
  HttpWorkers(const HttpWorkers&) = delete;
  HttpWorkers& operator=(const HttpWorkers&) = delete;

  // From any thread.
  void post(std::function<void()> work);

 private:
  void run();

  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::function<void()>> queue_;
  bool stopping_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace timepool::net
