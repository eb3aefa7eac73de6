// SendPace: how long a worker takes per reply to finish it and to hand it to the system, learned
// from batch to batch. The clock is read once for a batch of replies, and the time at which each of
// them will leave is that reading and what those ahead of it take. One thread.
#pragma once

#include <algorithm>
#include <cstddef>

#include "base/duration.h"
#include "base/time.h"

namespace timepool::net {

class SendPace {
 public:
  // When reply `position` of `count` will leave, if the first begins to be finished at `start`.
  // With one reply that is `start` and the time of finishing it.
  UnixTime leaves(UnixTime start, std::size_t position, std::size_t count) const {
    return start + finish_ * static_cast<std::int64_t>(count) +
           send_ * static_cast<std::int64_t>(position);
  }
  // When it did, if the call that sent them all began at `begun` and returned at `ended`.
  static UnixTime left(UnixTime begun, UnixTime ended, std::size_t position, std::size_t count) {
    return begun + (ended - begun) * static_cast<std::int64_t>(position + 1) /
                       static_cast<std::int64_t>(count);
  }
  // A batch of `count` was begun at `start`, finished at `begun`, and sent at `ended`.
  void note(UnixTime start, UnixTime begun, UnixTime ended, std::size_t count) {
    learn(finish_, begun - start, count);
    learn(send_, ended - begun, count);
  }

 private:
  // Longer than any machine takes for one: what exceeds it was a pause, or a step of the clock.
  static constexpr Duration kLongest = Duration::microseconds(20);

  // The mean of about the last eight batches.
  static void learn(Duration& mean, Duration total, std::size_t count) {
    const Duration each = total / static_cast<std::int64_t>(count);
    if (each < Duration() || each > kLongest) return;
    mean = mean + (each - mean) / 8;
  }

  Duration finish_;
  Duration send_;
};

}  // namespace timepool::net
