// FileWatch: calls something again and again on a thread of its own.
#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>

namespace timepool::dnsd {

class FileWatch {
 public:
  FileWatch() = default;
  FileWatch(const FileWatch&) = delete;
  FileWatch& operator=(const FileWatch&) = delete;
  ~FileWatch() { stop(); }

  // Calls `look` after each `interval`, until stop(). Nothing when it runs already.
  void start(std::chrono::milliseconds interval, std::function<void()> look);
  // Waits for a call under way. It may be started again.
  void stop();

 private:
  std::mutex mutex_;
  std::condition_variable stopped_;
  bool stop_ = false;
  std::thread thread_;
};

}  // namespace timepool::dnsd
