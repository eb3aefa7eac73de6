// Reactor: the event loop of a daemon's main thread, on poll(2) and nothing else, so that it runs
// unchanged in a network simulator: no pipe, signalfd, timerfd or epoll. File descriptors, timers
// and signals call back; handles end what they stand for when they are destroyed, also from within
// a callback. Everything is for the one thread that runs it, but post() after enable_post().
//
// A signal that comes between the look at its flag and poll(2) is noticed after kMaxWait at the
// latest, since there is no ppoll in the simulator.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "sys/fd.h"

namespace timepool::net {

class Reactor;

// A timer that is due once; destroyed, it is cancelled.
class Timer {
 public:
  Timer() = default;
  Timer(Timer&& other) noexcept { *this = std::move(other); }
  Timer& operator=(Timer&& other) noexcept;
  Timer(const Timer&) = delete;
  Timer& operator=(const Timer&) = delete;
  ~Timer() { cancel(); }
  void cancel();
  bool pending() const;

 private:
  friend class Reactor;
  Timer(Reactor* reactor, MonoTime deadline, std::uint64_t id)
      : reactor_(reactor), deadline_(deadline), id_(id) {}
  Reactor* reactor_ = nullptr;
  MonoTime deadline_;
  std::uint64_t id_ = 0;
};

// An observed file descriptor; destroyed, it is observed no more. It does not own the descriptor.
class Watch {
 public:
  Watch() = default;
  Watch(Watch&& other) noexcept { *this = std::move(other); }
  Watch& operator=(Watch&& other) noexcept;
  Watch(const Watch&) = delete;
  Watch& operator=(const Watch&) = delete;
  ~Watch() { stop(); }
  void stop();
  // POLLIN, POLLOUT, POLLPRI; POLLERR and POLLHUP are always told.
  void set_events(short events);

 private:
  friend class Reactor;
  struct Entry;
  Watch(Reactor* reactor, std::shared_ptr<Entry> entry)
      : reactor_(reactor), entry_(std::move(entry)) {}
  Reactor* reactor_ = nullptr;
  std::shared_ptr<Entry> entry_;
};

class Reactor {
 public:
  // The longest sleep, for signals (see above) and for watchdogs.
  static constexpr Duration kMaxWait = Duration::seconds(1);

  Reactor() = default;
  Reactor(const Reactor&) = delete;
  Reactor& operator=(const Reactor&) = delete;

  // Calls `callback` once, when `deadline` has passed. Timers are called in the order of their
  // deadlines, equal ones in the order in which they were set.
  [[nodiscard]] Timer at(MonoTime deadline, std::function<void()> callback);
  // Calls `callback` with the events that are there, each time that there are some.
  [[nodiscard]] Watch watch(int fd, short events, std::function<void(short ready)> callback);
  // From now on the signal calls back instead of its default action.
  Result<void> on_signal(int signal, std::function<void()> callback);

  // Lets other threads use post(): makes an eventfd, which the simulator does not know.
  Result<void> enable_post();
  // Runs `task` in the loop. Any thread.
  void post(std::function<void()> task);

  // Runs until stop().
  void run();
  // One round: waits for the next event, at most `max_wait`, and calls back.
  void run_once(Duration max_wait = kMaxWait);
  void stop() { stopped_ = true; }
  bool stopped() const { return stopped_; }

 private:
  friend class Timer;
  friend class Watch;
  using TimerKey = std::pair<MonoTime, std::uint64_t>;

  int timeout_ms(Duration max_wait) const;
  void run_timers();
  void run_signals();
  void run_posted();

  std::map<TimerKey, std::function<void()>> timers_;
  std::uint64_t next_timer_ = 1;
  std::vector<std::shared_ptr<Watch::Entry>> watches_;
  std::vector<std::pair<int, std::function<void()>>> signals_;
  bool stopped_ = false;

  sys::Fd wake_;
  Watch wake_watch_;
  std::mutex mutex_;
  std::vector<std::function<void()>> posted_;
};

}  // namespace timepool::net
