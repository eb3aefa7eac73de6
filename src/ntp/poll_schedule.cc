#include "ntp/poll_schedule.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <utility>

#include "base/check.h"
#include "ntp/four_times.h"

namespace timepool::ntp {
namespace {

constexpr Duration kBurstSpacing = Duration::seconds(2);
// What a burst of the start leaves over follows more slowly: all within seconds tells the offset
// well and the frequency badly. The gap doubles from the first on.
constexpr Duration kFirstGap = Duration::seconds(4);
// With `burst`, a poll in vain becomes at most this many requests.
constexpr int kMostAgain = 4;
// F10: seconds from each miss in a row to the next request, a quarter more or less. With 2 s for
// each answer the eighth miss, after which the server is left, comes 86 s after the first, 104 s at
// the most: at poll 10 a dead server is noticed within 1088 + 2 + 104 < 1200 s, 600 s in the mean.
constexpr std::array<int, 7> kProbes = {4, 4, 8, 8, 16, 16, 16};
// A server that nothing can replace: from here on doubling, until that is the interval itself.
constexpr Duration kLateProbe = Duration::seconds(32);
constexpr double kProbeSpread = 0.25;
// Intervals vary by a sixteenth each way, so that many clients do not fall into step.
constexpr double kIntervalSpread = 1.0 / 16;
// So many samples in a row from afar make a server a far one.
constexpr int kFarEnough = 8;
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
      last_sent_(first),
      regular_(first),
      online_(config.online) {
  CHECK(config.minpoll >= kLowestPoll && config.maxpoll <= kHighestPoll);
  CHECK(config.minpoll <= config.maxpoll);
  restart(first);
}

std::int8_t PollSchedule::poll() const {
  return near_ ? poll_ : std::max<std::int8_t>(poll_, 0);
}

Duration PollSchedule::interval(RandomStream& random) const {
  return spread(exp2_seconds(poll()), kIntervalSpread, random);
}

Duration PollSchedule::least_interval() const {
  return exp2_seconds(poll()) / 16 * 15;
}

MonoTime PollSchedule::warm_up_at() const {
  // What is brought forward by a miss comes too soon after a packet to need another.
  const bool wanted = online_ && !warm_ && !in_burst() && next_ >= regular_;
  if (!wanted || poll_ < config_.presend) return MonoTime::max();
  return next_ - kWarmUpLead;
}

MonoTime PollSchedule::next() const {
  return online_ ? std::min(next_, warm_up_at()) : MonoTime::max();
}

void PollSchedule::set_poll(int poll) {
  poll_ =
      static_cast<std::int8_t>(std::clamp<int>(poll, floor_, std::max(config_.maxpoll, floor_)));
  score_ = 0;
}

void PollSchedule::measured_delay(Duration delay) {
  far_in_a_row_ = delay < kNearDelay ? 0 : std::min(far_in_a_row_ + 1, kFarEnough);
  near_ = far_in_a_row_ == 0 || (near_ && far_in_a_row_ < kFarEnough);
}

void PollSchedule::sent(MonoTime now, RandomStream& random) {
  last_sent_ = now;
  warm_ = false;
  if (burst_left_ > 0) {
    --burst_left_;
  } else if (now >= regular_) {
    asked_again_ = false;
  }
  const Duration gap = burst_left_ > 0 ? interval(random) : next_gap(random);
  regular_ = now + gap;
  next_ = burst_left_ > 0 ? now + std::min(kBurstSpacing, gap) : regular_;
}

void PollSchedule::end_start() {
  start_ = false;
  spared_ = 0;
}

Duration PollSchedule::next_gap(RandomStream& random) {
  const Duration regular = interval(random);
  if (spared_ == 0 || spared_gap_ >= regular) return regular;
  --spared_;
  return spread(std::exchange(spared_gap_, spared_gap_ * 2), kIntervalSpread, random);
}

void PollSchedule::answered() {
  if (!in_burst()) next_ = std::max(next_, regular_);
}

// As many requests as may go into one interval while their mean distance stays at 2^minpoll.
void PollSchedule::ask_again(MonoTime now) {
  if (!config_.burst || asked_again_ || in_burst() || floor_ > config_.minpoll) return;
  const int longer = std::min(poll() - config_.minpoll, 8);
  const int more = std::min(kMostAgain, 1 << longer) - 1;
  asked_again_ = true;
  if (more < 1) return;
  end_start();
  burst_left_ = more;
  burst_good_ = 1;
  next_ = std::min(next_, now + kBurstSpacing);
}

void PollSchedule::missed(MonoTime now, std::uint32_t unanswered, RandomStream& random) {
  if (in_burst() || floor_ > config_.minpoll) return;
  ask_again(now);
  next_ = std::min(next_, now + spread(probe_after(unanswered), kProbeSpread, random));
}

void PollSchedule::accepted(MonoTime now, double score, RandomStream& random) {
  if (in_burst() && --burst_good_ <= 0) {
    // The frequency may be known well enough already.
    if (start_ && score <= 0) spared_ = burst_left_;
    spared_gap_ = kFirstGap;
    burst_left_ = 0;
    next_ = regular_ = now + next_gap(random);
  } else if (score > 0) {
    spared_ = 0;
  }
  score_ += score;
  if (score_ >= 1) set_poll(poll_ + 1);
  if (score_ <= -1) set_poll(poll_ - 1);
  if (floor_ > config_.minpoll && ++good_since_rate_ >= kRateDecay) {
    good_since_rate_ = 0;
    --floor_;
  }
}

void PollSchedule::rate_limited(MonoTime now, RandomStream& random) {
  burst_left_ = 0;
  end_start();
  good_since_rate_ = 0;
  // Whoever polls more slowly than the limit already stays there.
  const int slowest = std::max<int>(poll(), std::min(config_.maxpoll, kRatePollLimit));
  floor_ = static_cast<std::int8_t>(std::min(poll() + 1, slowest));
  set_poll(floor_);
  next_ = regular_ = now + interval(random);
}

void PollSchedule::pause_until(MonoTime time) {
  burst_left_ = 0;
  end_start();
  next_ = std::max(next_, time);
}

void PollSchedule::ask_by(MonoTime at, Duration spacing) {
  if (floor_ > config_.minpoll) return;
  next_ = std::min(next_, std::max(at, last_sent_ + spacing));
}

void PollSchedule::no_slower_than(std::int8_t poll) {
  if (poll >= poll_ || poll_ <= floor_) return;
  set_poll(poll);
  next_ = regular_ = std::min(next_, last_sent_ + exp2_seconds(this->poll()));
}

void PollSchedule::change(const PollConfig& config) {
  CHECK(config.minpoll >= kLowestPoll && config.maxpoll <= kHighestPoll);
  CHECK(config.minpoll <= config.maxpoll);
  // What RATE took away is not given back.
  const int slowed = floor_ - config_.minpoll;
  config_ = config;
  floor_ = static_cast<std::int8_t>(std::min<int>(config.minpoll + slowed, config.maxpoll));
  poll_ = std::clamp(poll_, floor_, config_.maxpoll);
  next_ = std::min(next_, last_sent_ + exp2_seconds(config_.maxpoll));
}

void PollSchedule::restart(MonoTime now) {
  const BurstSize size;
  burst_left_ = config_.iburst ? size.most : 0;
  burst_good_ = size.good;
  start_ = config_.iburst;
  spared_ = 0;
  warm_ = true;
  next_ = std::min(next_, now);
}

bool PollSchedule::begin_burst(MonoTime now, BurstSize size) {
  if (!online_ || floor_ > config_.minpoll || size.most < 1 || size.good < 1) return false;
  end_start();
  burst_left_ = std::min(size.most, kMaxBurst);
  burst_good_ = size.good;
  warm_ = true;
  next_ = std::min(next_, now);
  return true;
}

void PollSchedule::set_online(bool online, MonoTime now) {
  if (online == online_) return;
  online_ = online;
  burst_left_ = 0;
  end_start();
  if (!online) return;
  // Neither sooner than a server that asked for peace is due, nor in a burst.
  if (floor_ > config_.minpoll) return;
  restart(now);
}

}  // namespace timepool::ntp
