// WorkSource: a thread that asks the manager for work whenever the monitor can do some, and hands
// it to the reactor.
#pragma once

#include <condition_variable>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "base/backoff.h"
#include "config/monitord.h"
#include "monitord/manager.h"
#include "net/reactor.h"
#include "sys/log.h"

namespace timepool::monitord {

class WorkSource {
 public:
  struct Counts {
    std::uint64_t requests = 0;
    std::uint64_t items = 0;
    std::uint64_t failures = 0;
    std::string last_failure;
  };
  using Take = std::function<void(std::vector<Work>)>;

  // `take` is called on the reactor. Asks for nothing until allow(true).
  WorkSource(const config::MonitordConfig& config, net::Reactor& reactor, sys::Logger& log,
             Take take);
  ~WorkSource();

  // Whether to ask now: the clock is sane and the probes under way leave room. An answer that comes
  // after a change to false is still handed over.
  void allow(bool allowed);
  Counts counts() const;

 private:
  void loop();
  // The wait before the next request; zero after success.
  Duration ask();

  const config::MonitordConfig& config_;
  net::Reactor& reactor_;
  sys::Logger& log_;
  Take take_;
  ManagerClient manager_;
  Backoff backoff_;

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  bool allowed_ = false;
  bool stopping_ = false;
  bool delivering_ = false;  // an answer is on its way to the reactor
  Counts counts_;
  std::thread thread_;
};

}  // namespace timepool::monitord
