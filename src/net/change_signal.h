// ChangeSignal: "something changed", counted. A long-poll reads version(), looks at the state, and
// when there is nothing to say waits until the version is another one; nothing is missed between.
// All methods may be called from any thread.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>

namespace timepool::net {

class ChangeSignal {
 public:
  std::uint64_t version() const { return version_.load(std::memory_order_acquire); }
  // Counts a change and calls every registered function once, on this thread.
  void notify();
  // Registers `wake` to be called once, at the next notify(); or calls it now and registers
  // nothing when version() is no longer `seen`. Returns an id for forget(). `wake` must be quick
  // and may still run shortly after forget() when a notify() is under way.
  std::uint64_t wake_when_changed(std::uint64_t seen, std::function<void()> wake);
  void forget(std::uint64_t id);

 private:
  std::atomic<std::uint64_t> version_{1};
  std::mutex mutex_;
  std::uint64_t next_id_ = 1;
  std::map<std::uint64_t, std::function<void()>> waiters_;
};

}  // namespace timepool::net
