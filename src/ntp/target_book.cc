#include "ntp/target_book.h"

#include <algorithm>

#include "base/check.h"
#include "ntp/address_book.h"
#include "ntp/service_order.h"

namespace timepool::ntp {
namespace {

using State = TargetRecord::State;

bool in_disgrace(const TargetRecord& record, MonoTime now) {
  return record.state == State::kDropped && now - *record.dropped < kDroppedFor;
}

}  // namespace

std::string_view name_of(TargetDrop cause) {
  constexpr std::string_view kNames[] = {"none",         "no_address", "no_keys",   "silent",
                                         "useless",      "denied",     "name_gone", "same_address",
                                         "other_source", "untrusted",  "surplus"};
  return kNames[static_cast<std::size_t>(cause)];
}

std::string_view name_of(TargetRecord::State state) {
  constexpr std::string_view kNames[] = {"unused", "in_use", "dropped"};
  return kNames[static_cast<std::size_t>(state)];
}

TargetRecord* TargetBook::find(std::string_view target) {
  const auto found = std::find_if(records_.begin(), records_.end(), [&](const TargetRecord& it) {
    return it.target.target == target;
  });
  return found == records_.end() ? nullptr : &*found;
}

void TargetBook::update(std::span<const ServiceTarget> targets, MonoTime now) {
  last_update_ = now;
  for (TargetRecord& record : records_) record.listed = false;
  for (const ServiceTarget& target : targets) {
    TargetRecord* known = find(target.target);
    if (known == nullptr) continue;
    known->listed = true;
    known->target = target;
  }
  forget(now);
  for (const ServiceTarget& target : targets) {
    if (records_.size() >= 2 * kMaxTargets) break;
    if (find(target.target) == nullptr) records_.push_back({target, State::kUnused, true, {}, {}});
  }
}

// What was dropped is remembered for a day, as far as half the room lets it be.
void TargetBook::forget(MonoTime now) {
  std::erase_if(records_, [&](const TargetRecord& record) {
    return !record.listed && record.state != State::kInUse && !in_disgrace(record, now);
  });
  while (records_.size() > kMaxTargets) {
    auto oldest = records_.end();
    for (auto it = records_.begin(); it != records_.end(); ++it) {
      if (it->listed || it->state != State::kDropped) continue;
      if (oldest == records_.end() || *it->dropped < *oldest->dropped) oldest = it;
    }
    if (oldest == records_.end()) return;
    records_.erase(oldest);
  }
}

std::optional<ServiceTarget> TargetBook::next(MonoTime now, bool desperate, RandomStream& random,
                                              const Known& known) const {
  std::vector<ServiceTarget> fresh;
  const TargetRecord* old = nullptr;
  for (const TargetRecord& record : records_) {
    if (!record.listed || record.state == State::kInUse) continue;
    if (!in_disgrace(record, now)) {
      fresh.push_back(record.target);
      continue;
    }
    // Only a newer answer brings it back.
    if (*record.dropped >= *last_update_) continue;
    if (!desperate && now - *record.dropped < kTargetRest) continue;
    if (old == nullptr || *record.dropped < *old->dropped) old = &record;
  }
  if (fresh.empty()) return old == nullptr ? std::nullopt : std::optional(old->target);
  const std::vector<std::size_t> order = service_order(fresh, random);
  for (const std::size_t index : order) {
    if (known(fresh[index])) return fresh[index];
  }
  return fresh[order.front()];
}

void TargetBook::use(std::string_view target) {
  TargetRecord* record = find(target);
  CHECK(record != nullptr);
  record->state = State::kInUse;
}

void TargetBook::drop(std::string_view target, MonoTime now, TargetDrop cause) {
  TargetRecord* record = find(target);
  CHECK(record != nullptr);
  // Nothing was held against it.
  record->state = cause == TargetDrop::kSurplus ? State::kUnused : State::kDropped;
  record->dropped = now;
  record->cause = cause;
}

}  // namespace timepool::ntp
