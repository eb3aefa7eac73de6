#include "ntp/establishments.h"

#include <algorithm>

#include "base/check.h"

namespace timepool::ntp {

bool Establishments::want(const EstablishmentWish& wish) {
  if (wishes_.size() >= kMaxWishes) return false;
  wishes_.push_back(wish);
  return true;
}

bool Establishments::wants_for(AssociationId member) const {
  return std::any_of(wishes_.begin(), wishes_.end(),
                     [&](const EstablishmentWish& it) { return it.member == member; });
}

std::size_t Establishments::new_of(SourceId source) const {
  return static_cast<std::size_t>(std::count_if(
      wishes_.begin(), wishes_.end(),
      [&](const EstablishmentWish& it) { return it.source == source && it.member == 0; }));
}

std::optional<EstablishmentWish> Establishments::finish(EstablishmentId id,
                                                        const EstablishmentResult& result,
                                                        MonoTime now) {
  const auto found = std::find_if(wishes_.begin(), wishes_.end(),
                                  [&](const EstablishmentWish& it) { return it.id == id; });
  if (id == 0 || found == wishes_.end()) return std::nullopt;
  const EstablishmentWish out = *found;
  wishes_.erase(found);
  ++(result.established ? count_established_ : count_failed_);
  Schedule& schedule = schedule_of(out.with, out.begun);
  if (result.established) {
    schedule.retry.established();
    schedule.established = now;
  }
  if (result.unsent) schedule.retry.unsent();
  return out;
}

std::vector<EstablishmentWish> Establishments::take_lost(MonoTime now) {
  std::vector<EstablishmentWish> out;
  for (const EstablishmentWish& wish : wishes_) {
    if (wish.id != 0 && now - wish.begun >= kPatience) out.push_back(wish);
  }
  for (const EstablishmentWish& lost : out) static_cast<void>(finish(lost.id, {}, now));
  return out;
}

void Establishments::forget(SourceId source) {
  std::erase_if(wishes_, [&](const EstablishmentWish& it) { return it.source == source; });
}

const Establishments::Schedule* Establishments::find(const nts::KeyServer& server) const {
  const auto found = std::find_if(schedules_.begin(), schedules_.end(),
                                  [&](const Schedule& it) { return it.server == server; });
  return found == schedules_.end() ? nullptr : &*found;
}

// The table is bounded: the one that was wanted longest ago makes room, those that say nothing
// first.
Establishments::Schedule& Establishments::schedule_of(const nts::KeyServer& server, MonoTime now) {
  const auto same = [&](const Schedule& it) { return it.server == server; };
  auto found = std::find_if(schedules_.begin(), schedules_.end(), same);
  if (found != schedules_.end()) return *found;
  if (schedules_.size() >= kMaxSchedules) {
    const auto less = [](const Schedule& a, const Schedule& b) {
      const bool a_idle = a.retry.attempts() == 0;
      const bool b_idle = b.retry.attempts() == 0;
      return a_idle != b_idle ? a_idle : a.retry.next() < b.retry.next();
    };
    schedules_.erase(std::min_element(schedules_.begin(), schedules_.end(), less));
  }
  schedules_.push_back({server, nts::RetrySchedule(0, now, now), {}, {}});
  return schedules_.back();
}

MonoTime Establishments::allowed(const nts::KeyServer& server) const {
  const Schedule* found = find(server);
  return found == nullptr ? MonoTime() : found->retry.next();
}

std::uint32_t Establishments::attempts(const nts::KeyServer& server) const {
  const Schedule* found = find(server);
  return found == nullptr ? 0 : found->retry.attempts();
}

std::optional<MonoTime> Establishments::last_begun(const nts::KeyServer& server) const {
  const Schedule* found = find(server);
  return found == nullptr ? std::nullopt : found->begun;
}

std::optional<MonoTime> Establishments::last_established(const nts::KeyServer& server) const {
  const Schedule* found = find(server);
  return found == nullptr ? std::nullopt : found->established;
}

void Establishments::authenticated(const nts::KeyServer& server, MonoTime now) {
  if (find(server) != nullptr) schedule_of(server, now).retry.authenticated(now);
}

MonoTime Establishments::next() const {
  MonoTime out = MonoTime::max();
  for (const EstablishmentWish& wish : wishes_) {
    const MonoTime due = wish.id != 0
                             ? wish.begun + kPatience
                             : std::max({wish.not_before, allowed(wish.with), budget_.next()});
    out = std::min(out, due);
  }
  return out;
}

void Establishments::begin(MonoTime now, RandomStream& random, Outbox& out) {
  for (EstablishmentWish& wish : wishes_) {
    if (wish.id != 0 || now < wish.not_before || now < allowed(wish.with)) continue;
    if (out.establishes.full() || !budget_.take(now)) return;
    wish.id = next_id_++;
    wish.begun = now;
    Schedule& schedule = schedule_of(wish.with, now);
    schedule.retry.began(now, random.unit());
    schedule.begun = now;
    ++count_begun_;
    const Endpoint server{wish.with.address, wish.with.port, 0};
    CHECK(out.establishes.push_back({wish.id, wish.source, server}));
  }
}

std::vector<nts::SavedRetry> Establishments::saved(MonoTime now, UnixTime clock) const {
  std::vector<nts::SavedRetry> out;
  for (const Schedule& schedule : schedules_) {
    if (schedule.retry.attempts() == 0) continue;
    out.push_back(
        {schedule.server, schedule.retry.attempts(), clock + (schedule.retry.next() - now)});
  }
  return out;
}

void Establishments::set_saved(std::span<const nts::SavedRetry> saved, MonoTime now,
                               UnixTime clock) {
  for (const nts::SavedRetry& it : saved) {
    schedule_of(it.with, now).retry = nts::RetrySchedule(it.attempts, now + (it.next - clock), now);
  }
}

}  // namespace timepool::ntp
