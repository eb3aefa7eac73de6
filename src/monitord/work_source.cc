#include "monitord/work_source.h"

#include <chrono>

#include "sys/clock.h"
#include "sys/random.h"
#include "sys/signal_flag.h"

namespace timepool::monitord {

// A manager that answers at once with nothing must not be asked in a tight loop.
constexpr Duration kEmptyPause = Duration::milliseconds(200);

WorkSource::WorkSource(const config::MonitordConfig& config, net::Reactor& reactor,
                       sys::Logger& log, Take take)
    : config_(config),
      reactor_(reactor),
      log_(log),
      take_(std::move(take)),
      manager_(config.manager),
      backoff_(config.manager.retry_min, config.manager.retry_max, sys::random_u64()) {
  thread_ = std::thread([this] { loop(); });
}

WorkSource::~WorkSource() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  manager_.cancel();
  thread_.join();
}

void WorkSource::allow(bool allowed) {
  {
    const std::lock_guard lock(mutex_);
    allowed_ = allowed;
  }
  changed_.notify_all();
}

WorkSource::Counts WorkSource::counts() const {
  const std::lock_guard lock(mutex_);
  return counts_;
}

void WorkSource::loop() {
  sys::block_all_signals();
  Duration pause;
  while (true) {
    {
      std::unique_lock lock(mutex_);
      changed_.wait_for(lock, std::chrono::nanoseconds(pause.ns()), [this] { return stopping_; });
      changed_.wait(lock, [this] { return stopping_ || (allowed_ && !delivering_); });
      if (stopping_) return;
      ++counts_.requests;
    }
    pause = ask();
  }
}

Duration WorkSource::ask() {
  auto work = manager_.fetch_work();
  const std::lock_guard lock(mutex_);
  if (!work.ok()) {
    ++counts_.failures;
    const std::string text = work.error().text();
    if (!stopping_ && counts_.last_failure != text) log_.warning("no work: {}", text);
    counts_.last_failure = text;
    return backoff_.failed();
  }
  backoff_.succeeded();
  if (!counts_.last_failure.empty()) log_.info("the manager gives work again");
  counts_.last_failure.clear();
  counts_.items += work->size();
  if (work->empty()) return kEmptyPause;
  delivering_ = true;
  reactor_.post([this, items = std::move(*work)]() mutable {
    // Before the next request the taker may have said that there is no more room.
    take_(std::move(items));
    {
      const std::lock_guard inner(mutex_);
      delivering_ = false;
    }
    changed_.notify_all();
  });
  return {};
}

}  // namespace timepool::monitord
