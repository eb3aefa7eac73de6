// PollSchedule: when an association asks next (RFC 5905 13). A burst at the start, then every
// 2^poll seconds; sooner after a miss, since a lost packet is more likely than a dead server (F10);
// later after a RATE kiss (B30).
#pragma once

#include <cstdint>

#include "base/time.h"
#include "ntp/random_stream.h"

namespace timepool::ntp {

inline constexpr std::int8_t kLowestPoll = -7;     // 7.8 ms, for tests and local networks
inline constexpr std::int8_t kHighestPoll = 16;    // B14: 18 hours, below a day
inline constexpr std::int8_t kRatePollLimit = 13;  // B30

struct PollConfig {
  std::int8_t minpoll = 6;  // log2 seconds, kLowestPoll to maxpoll
  std::int8_t maxpoll = 10;
  bool iburst = true;
};

class PollSchedule {
 public:
  // CHECKs the limits of the configuration.
  PollSchedule(const PollConfig& config, MonoTime first);

  MonoTime next() const { return next_; }
  std::int8_t poll() const { return poll_; }
  bool in_burst() const { return burst_left_ > 0; }

  // A request is being sent: plans the one after it.
  void sent(MonoTime now, RandomStream& random);
  // It brought nothing; `unanswered` in a row now. May bring the next request forward.
  void missed(MonoTime now, std::uint32_t unanswered, RandomStream& random);
  // It brought a usable sample; `stable` when that fits what was known. Ends a burst after four,
  // and lengthens or shortens the interval.
  void accepted(MonoTime now, bool stable, RandomStream& random);
  // B30: one step slower, at most kRatePollLimit and never above maxpoll; the interval that the
  // packet names is not looked at. Ends a burst.
  void rate_limited(MonoTime now, RandomStream& random);
  // Not before `time`, and no burst.
  void pause_until(MonoTime time);
  // Ask in a burst again, from now on: after the samples were lost.
  void restart(MonoTime now);

 private:
  Duration interval(RandomStream& random) const;
  void set_poll(int poll);

  PollConfig config_;
  std::int8_t floor_;  // minpoll, raised by RATE
  std::int8_t poll_;
  MonoTime next_;
  int burst_left_ = 0;
  int burst_good_ = 0;
  int stability_ = 0;
  int good_since_rate_ = 0;
};

}  // namespace timepool::ntp
