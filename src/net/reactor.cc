#include "net/reactor.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "base/check.h"
#include "sys/clock.h"
#include "sys/signal_flag.h"

namespace timepool::net {

struct Watch::Entry {
  int fd = -1;
  short events = 0;
  bool alive = true;
  std::function<void(short)> callback;
};

Timer& Timer::operator=(Timer&& other) noexcept {
  if (this == &other) return *this;
  cancel();
  reactor_ = std::exchange(other.reactor_, nullptr);
  deadline_ = other.deadline_;
  id_ = other.id_;
  return *this;
}

void Timer::cancel() {
  if (reactor_ != nullptr) reactor_->timers_.erase({deadline_, id_});
  reactor_ = nullptr;
}

bool Timer::pending() const {
  return reactor_ != nullptr && reactor_->timers_.contains({deadline_, id_});
}

Watch& Watch::operator=(Watch&& other) noexcept {
  if (this == &other) return *this;
  stop();
  reactor_ = std::exchange(other.reactor_, nullptr);
  entry_ = std::move(other.entry_);
  return *this;
}

void Watch::stop() {
  if (reactor_ == nullptr) return;
  entry_->alive = false;
  std::erase(reactor_->watches_, entry_);
  reactor_ = nullptr;
  entry_.reset();
}

void Watch::set_events(short events) {
  CHECK(entry_ != nullptr);
  entry_->events = events;
}

Timer Reactor::at(MonoTime deadline, std::function<void()> callback) {
  const std::uint64_t id = next_timer_++;
  timers_.emplace(TimerKey{deadline, id}, std::move(callback));
  return Timer(this, deadline, id);
}

Watch Reactor::watch(int fd, short events, std::function<void(short ready)> callback) {
  CHECK(fd >= 0);
  auto entry = std::make_shared<Watch::Entry>();
  entry->fd = fd;
  entry->events = events;
  entry->callback = std::move(callback);
  watches_.push_back(entry);
  return Watch(this, std::move(entry));
}

Result<void> Reactor::on_signal(int signal, std::function<void()> callback) {
  TRY(sys::catch_signal(signal));
  signals_.emplace_back(signal, std::move(callback));
  return {};
}

Result<void> Reactor::enable_post() {
  if (wake_) return {};
  wake_.reset(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC));
  if (!wake_) return fail(system_error(errno, "eventfd"));
  wake_watch_ = watch(wake_.number(), POLLIN, [this](short) { run_posted(); });
  return {};
}

void Reactor::post(std::function<void()> task) {
  CHECK(wake_.valid());
  {
    const std::lock_guard lock(mutex_);
    posted_.push_back(std::move(task));
  }
  const std::uint64_t one = 1;
  // A counter that is full wakes the loop as well.
  const ssize_t written = ::write(wake_.number(), &one, sizeof one);
  static_cast<void>(written);
}

void Reactor::run_posted() {
  std::uint64_t count = 0;
  const ssize_t got = ::read(wake_.number(), &count, sizeof count);
  static_cast<void>(got);
  std::vector<std::function<void()>> tasks;
  {
    const std::lock_guard lock(mutex_);
    tasks.swap(posted_);
  }
  for (const auto& task : tasks) task();
}

void Reactor::run() {
  while (!stopped_) run_once();
}

// Rounded up to whole milliseconds: poll(2) must not return before the deadline and spin.
int Reactor::timeout_ms(Duration max_wait) const {
  Duration wait = max_wait;
  if (!timers_.empty()) {
    wait = std::min(wait, timers_.begin()->first.first - sys::mono_now());
  }
  for (const auto& [signal, callback] : signals_) {
    if (sys::signal_pending(signal)) return 0;
  }
  if (wait <= Duration()) return 0;
  return static_cast<int>(std::min<std::int64_t>((wait.ns() + 999'999) / 1'000'000, 1 << 30));
}

void Reactor::run_once(Duration max_wait) {
  std::vector<pollfd> polled;
  std::vector<std::shared_ptr<Watch::Entry>> entries = watches_;
  polled.reserve(entries.size());
  for (const auto& entry : entries) polled.push_back({entry->fd, entry->events, 0});
  const int count = ::poll(polled.data(), polled.size(), timeout_ms(max_wait));
  // Errors other than EINTR are our own: a bad pointer or too many descriptors.
  CHECK(count >= 0 || errno == EINTR);
  run_signals();
  for (std::size_t i = 0; count > 0 && i < polled.size(); ++i) {
    // A callback before this one may have ended the watch.
    if (polled[i].revents == 0 || !entries[i]->alive) continue;
    entries[i]->callback(polled[i].revents);
  }
  run_timers();
}

void Reactor::run_timers() {
  const MonoTime now = sys::mono_now();
  // A timer set by a callback waits for the next round, even when it is due.
  const std::uint64_t end = next_timer_;
  auto it = timers_.begin();
  while (it != timers_.end() && it->first.first <= now) {
    if (it->first.second >= end) {
      ++it;
      continue;
    }
    const std::function<void()> callback = std::move(it->second);
    timers_.erase(it);
    callback();
    it = timers_.begin();
  }
}

void Reactor::run_signals() {
  for (std::size_t i = 0; i < signals_.size(); ++i) {
    if (sys::take_signal(signals_[i].first)) signals_[i].second();
  }
}

}  // namespace timepool::net
