#include "ntp/poll_schedule.h"

#include <algorithm>
#include <array>
#include <cstddef>

#include "base/check.h"
#include "ntp/exchange.h"

namespace timepool::ntp {
namespace {

// A burst: up to 8 requests 2 s apart, ended by 4 good answers.
constexpr int kBurstRequests = 8;
constexpr int kBurstEnough = 4;
constexpr Duration kBurstSpacing = Duration::seconds(2);
// F10: seconds from each miss in a row to the next request, a quarter more or less. With 2 s for
// each answer the eighth miss, after which the server is left, comes 86 s after the first, 104 s at
// the most: at poll 10 a dead server is noticed within 1088 + 2 + 104 < 1200 s, 600 s in the mean.
constexpr std::array<int, 7> kProbes = {4, 4, 8, 8, 16, 16, 16};
// A server that nothing can replace: from here on doubling, until that is the interval itself.
constexpr Duration kLateProbe = Duration::seconds(32);
constexpr double kProbeSpread = 0.25;
// Intervals vary by a sixteenth each way, so that many clients do not fall into step.
constexpr double kIntervalSpread = 1.0 / 16;
// This many fitting samples lengthen the interval; two unfitting ones more than fitting shorten it.
constexpr int kStableEnough = 8;
constexpr int kUnstableEnough = -4;
// RATE decays by one step after this many good answers.
constexpr int kRateDecay = 8;

// `unanswered` in a row, at least one.
Duration probe_after(std::uint32_t unanswered) {
  const std::size_t index = std::max<std::uint32_t>(unanswered, 1) - 1;
  if (index < kProbes.size()) return Duration::seconds(kProbes[index]);
  return kLateProbe * (std::int64_t{1} << std::min<std::size_t>(index - kProbes.size(), 12));
}

Duration spread(Duration middle, double share, RandomStream& random) {
  const double factor = 1 + share * (2 * random.unit() - 1);
  return Duration::from_seconds(middle.to_seconds() * factor);
}

}  // namespace

PollSchedule::PollSchedule(const PollConfig& config, MonoTime first)
    : config_(config),
      floor_(config.minpoll),
      poll_(config.minpoll),
      next_(first),
      burst_left_(config.iburst ? kBurstRequests : 0) {
  CHECK(config.minpoll >= kLowestPoll && config.maxpoll <= kHighestPoll);
  CHECK(config.minpoll <= config.maxpoll);
}

Duration PollSchedule::interval(RandomStream& random) const {
  return spread(exp2_seconds(poll_), kIntervalSpread, random);
}

void PollSchedule::set_poll(int poll) {
  poll_ = static_cast<std::int8_t>(std::clamp<int>(poll, floor_, config_.maxpoll));
  stability_ = 0;
}

void PollSchedule::sent(MonoTime now, RandomStream& random) {
  const Duration regular = interval(random);
  if (burst_left_ > 0) --burst_left_;
  next_ = now + (burst_left_ > 0 ? std::min(kBurstSpacing, regular) : regular);
}

void PollSchedule::missed(MonoTime now, std::uint32_t unanswered, RandomStream& random) {
  if (in_burst() || floor_ > config_.minpoll) return;
  next_ = std::min(next_, now + spread(probe_after(unanswered), kProbeSpread, random));
}

void PollSchedule::accepted(MonoTime now, bool stable, RandomStream& random) {
  if (in_burst() && ++burst_good_ >= kBurstEnough) {
    burst_left_ = 0;
    next_ = now + interval(random);
  }
  stability_ += stable ? 1 : -2;
  if (stability_ >= kStableEnough) set_poll(poll_ + 1);
  if (stability_ <= kUnstableEnough) set_poll(poll_ - 1);
  if (floor_ > config_.minpoll && ++good_since_rate_ >= kRateDecay) {
    good_since_rate_ = 0;
    --floor_;
  }
}

void PollSchedule::rate_limited(MonoTime now, RandomStream& random) {
  burst_left_ = 0;
  good_since_rate_ = 0;
  // Whoever polls more slowly than the limit already stays there.
  const int slowest = std::max<int>(poll_, std::min(config_.maxpoll, kRatePollLimit));
  floor_ = static_cast<std::int8_t>(std::min(poll_ + 1, slowest));
  set_poll(floor_);
  next_ = now + interval(random);
}

void PollSchedule::pause_until(MonoTime time) {
  burst_left_ = 0;
  next_ = std::max(next_, time);
}

void PollSchedule::restart(MonoTime now) {
  burst_left_ = config_.iburst ? kBurstRequests : 0;
  burst_good_ = 0;
  next_ = std::min(next_, now);
}

}  // namespace timepool::ntp
