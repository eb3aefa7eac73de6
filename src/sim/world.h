// World: true time, the queue of what is going to happen, and randomness, all from one seed. True
// time does not begin at zero, nor at a whole second, so that nothing works only there.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <queue>
#include <string_view>
#include <vector>

#include "base/prng.h"
#include "base/time.h"
#include "ntp/leap.h"
#include "sim/trace.h"

namespace timepool::sim {

class World {
 public:
  // Without `start` it begins somewhere in the thirty years from 2020 on: both sides of the end of
  // NTP's first era.
  explicit World(std::uint64_t seed, std::optional<UnixTime> start = {});
  World(const World&) = delete;
  World& operator=(const World&) = delete;

  std::uint64_t seed() const { return seed_; }
  UnixTime start() const { return start_; }
  UnixTime now() const { return now_; }
  Duration elapsed() const { return now_ - start_; }
  Trace& trace() { return trace_; }

  // The world's time has no leaps: UTC departs from it when one comes. `leap.seconds` may be zero:
  // a moment at which some believe that there is one.
  void set_leap(const ntp::LeapSecond& leap) { leap_ = leap; }
  const std::optional<ntp::LeapSecond>& leap() const { return leap_; }
  // UTC less the world's time at `when`.
  Duration utc_shift(UnixTime when) const;
  UnixTime utc() const { return now_ + utc_shift(now_); }

  // A source of randomness of its own for each part that wants one, so that a change in one part
  // does not change what the others draw.
  Prng random(std::string_view part) const;

  // Runs `action` at `when`, or now if that is past. Of two at the same moment the one that was
  // asked for first runs first.
  void at(UnixTime when, std::function<void()> action);
  void after(Duration delay, std::function<void()> action) { at(now_ + delay, std::move(action)); }
  // Runs everything up to and including `end`. CHECKs that no more than kMaxEvents happen.
  void run_until(UnixTime end);

 private:
  // A scenario of ten hours with twenty servers at a poll of a second stays below a tenth of this.
  static constexpr std::uint64_t kMaxEvents = 20'000'000;
  struct Event {
    UnixTime when;
    std::uint64_t number;
    std::function<void()> action;
  };
  struct Later {
    bool operator()(const Event& a, const Event& b) const {
      return a.when != b.when ? a.when > b.when : a.number > b.number;
    }
  };

  std::uint64_t seed_;
  UnixTime start_;
  UnixTime now_;
  std::optional<ntp::LeapSecond> leap_;
  Trace trace_;
  std::priority_queue<Event, std::vector<Event>, Later> queue_;
  std::uint64_t scheduled_ = 0;
};

}  // namespace timepool::sim
