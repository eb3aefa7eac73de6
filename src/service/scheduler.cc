#include "service/scheduler.h"

#include <algorithm>

namespace timepool::service {

void Scheduler::assign(std::span<const pool::Assignment> assignments,
                       std::span<const PairState> known, MonoTime now) {
  std::map<std::pair<std::int64_t, std::int64_t>, const PairState*> states;
  for (const PairState& state : known) states[{state.server, state.monitor}] = &state;

  const std::lock_guard lock(mutex_);
  std::map<std::int64_t, Queue> next;
  for (const pool::Assignment& pair : assignments) {
    Slot slot{now, 0};
    const auto state = states.find({pair.server, pair.monitor});
    if (state != states.end()) {
      const Duration interval = interval_of(state->second->score);
      // An age below zero is a clock that was set back: not a reason to wait longer.
      const Duration left = interval - std::clamp(state->second->age, Duration(), interval);
      slot = {now + left, state->second->score};
    }
    const auto queue = queues_.find(pair.monitor);
    if (queue != queues_.end()) {
      const auto old = queue->second.slots.find(pair.server);
      if (old != queue->second.slots.end()) slot = old->second;
    }
    next[pair.monitor].slots[pair.server] = slot;
    next[pair.monitor].due.insert({slot.due, pair.server});
  }
  queues_ = std::move(next);
}

std::vector<std::int64_t> Scheduler::take_due(std::int64_t monitor, MonoTime now, std::size_t max) {
  std::vector<std::int64_t> out;
  const std::lock_guard lock(mutex_);
  const auto found = queues_.find(monitor);
  if (found == queues_.end()) return out;
  Queue& queue = found->second;
  while (out.size() < max && !queue.due.empty() && queue.due.begin()->first <= now) {
    const std::int64_t server = queue.due.begin()->second;
    queue.due.erase(queue.due.begin());
    Slot& slot = queue.slots.at(server);
    slot.due = now + jittered(interval_of(slot.score));
    queue.due.insert({slot.due, server});
    out.push_back(server);
  }
  return out;
}

std::optional<MonoTime> Scheduler::next_due(std::int64_t monitor) const {
  const std::lock_guard lock(mutex_);
  const auto found = queues_.find(monitor);
  if (found == queues_.end() || found->second.due.empty()) return std::nullopt;
  return found->second.due.begin()->first;
}

void Scheduler::note_score(std::int64_t server, std::int64_t monitor, double score) {
  const std::lock_guard lock(mutex_);
  const auto queue = queues_.find(monitor);
  if (queue == queues_.end()) return;
  const auto slot = queue->second.slots.find(server);
  if (slot == queue->second.slots.end()) return;
  const Duration before = interval_of(slot->second.score);
  slot->second.score = score;
  const Duration change = interval_of(score) - before;
  if (change == Duration()) return;
  queue->second.due.erase({slot->second.due, server});
  slot->second.due = slot->second.due + change;
  queue->second.due.insert({slot->second.due, server});
}

Duration Scheduler::interval_of(double score) const {
  return score <= settings_.bad_score ? settings_.bad_interval : settings_.interval;
}

Duration Scheduler::jittered(Duration interval) {
  const std::int64_t tenth = interval.ns() / 10;
  const auto offset = static_cast<std::int64_t>(random_.below(static_cast<std::uint64_t>(tenth)));
  return interval + Duration::nanoseconds(offset - tenth / 2);
}

}  // namespace timepool::service
