// Scheduler: when each monitor is next to check each server. Held in memory only: at start it is
// made anew from the assignments and from when each pair was last checked. All methods may be
// called from any thread.
#pragma once

#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <span>
#include <utility>
#include <vector>

#include "base/prng.h"
#include "base/time.h"
#include "pool/assignment.h"

namespace timepool::service {

struct SchedulerSettings {
  Duration interval;
  Duration bad_interval;
  double bad_score = 0;
};

// What is known of a pair from earlier checks.
struct PairState {
  std::int64_t server = 0;
  std::int64_t monitor = 0;
  Duration age;      // since its last check
  double score = 0;  // the monitor's
};

class Scheduler {
 public:
  Scheduler(const SchedulerSettings& settings, std::uint64_t seed)
      : settings_(settings), random_(seed) {}

  // Makes the schedule that of `assignments`: pairs that are new are due according to `known` (at
  // once when they were never checked), others keep their time, those that are no longer assigned
  // go.
  void assign(std::span<const pool::Assignment> assignments, std::span<const PairState> known,
              MonoTime now);

  // Up to `max` servers that `monitor` is to check now, the longest overdue first. Each is next due
  // one interval later, whether or not a result comes in.
  std::vector<std::int64_t> take_due(std::int64_t monitor, MonoTime now, std::size_t max);
  // When the monitor has something to do; none when nothing is assigned to it.
  std::optional<MonoTime> next_due(std::int64_t monitor) const;
  // The monitor's score for the server, from which its interval follows.
  void note_score(std::int64_t server, std::int64_t monitor, double score);

 private:
  struct Slot {
    MonoTime due;
    double score = 0;
  };
  struct Queue {
    std::map<std::int64_t, Slot> slots;               // by server
    std::set<std::pair<MonoTime, std::int64_t>> due;  // the same, by time
  };
  Duration interval_of(double score) const;
  // The interval, give or take a twentieth: monitors that started together drift apart.
  Duration jittered(Duration interval);

  SchedulerSettings settings_;
  mutable std::mutex mutex_;
  Prng random_;
  std::map<std::int64_t, Queue> queues_;  // by monitor
};

}  // namespace timepool::service
