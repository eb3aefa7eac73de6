#include "sim/world.h"

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "base/siphash.h"

namespace timepool::sim {

World::World(std::uint64_t seed, std::optional<UnixTime> start) : seed_(seed) {
  Prng prng = random("start");
  const auto some = Duration::nanoseconds(
      static_cast<std::int64_t>(prng.below(start ? 1'000'000'000 : 946'080'000'000'000'000)));
  start_ = start.value_or(UnixTime::from_seconds(1'577'836'800)) + some;
  now_ = start_;
}

Duration World::utc_shift(UnixTime when) const {
  if (!leap_ || when < ntp::moment_of(*leap_)) return {};
  return ntp::step_of(*leap_);
}

Prng World::random(std::string_view part) const {
  return Prng(siphash24({seed_, 0x776f726c64}, std::as_bytes(std::span(part.data(), part.size()))));
}

void World::at(UnixTime when, std::function<void()> action) {
  queue_.push({std::max(when, now_), scheduled_++, std::move(action)});
}

void World::run_until(UnixTime end) {
  std::uint64_t events = 0;
  while (!queue_.empty() && queue_.top().when <= end) {
    CHECK(++events <= kMaxEvents);
    const Event event = queue_.top();
    queue_.pop();
    CHECK(event.when >= now_);
    now_ = event.when;
    event.action();
  }
  now_ = std::max(now_, end);
}

}  // namespace timepool::sim
