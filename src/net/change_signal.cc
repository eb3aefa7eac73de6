#include "net/change_signal.h"

#include <utility>

namespace timepool::net {

void ChangeSignal::notify() {
  std::map<std::uint64_t, std::function<void()>> woken;
  {
    const std::lock_guard lock(mutex_);
    version_.fetch_add(1, std::memory_order_acq_rel);
    woken.swap(waiters_);
  }
  for (const auto& [id, wake] : woken) wake();
}

std::uint64_t ChangeSignal::wake_when_changed(std::uint64_t seen, std::function<void()> wake) {
  {
    const std::lock_guard lock(mutex_);
    if (version() == seen) {
      waiters_.emplace(next_id_, std::move(wake));
      return next_id_++;
    }
  }
  wake();
  return 0;
}

void ChangeSignal::forget(std::uint64_t id) {
  const std::lock_guard lock(mutex_);
  waiters_.erase(id);
}

}  // namespace timepool::net
