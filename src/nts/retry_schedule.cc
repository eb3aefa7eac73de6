#include "nts/retry_schedule.h"

#include <algorithm>
#include <cmath>

namespace timepool::nts {
namespace {

// 10 s * 1.5^27 is above five days.
constexpr std::uint32_t kMostDoublings = 27;

}  // namespace

Duration retry_interval(std::uint32_t n) {
  const std::uint32_t power = std::min(std::max(n, 1U) - 1, kMostDoublings);
  const double seconds = kFirstRetry.to_seconds() * std::pow(1.5, power);
  return std::min(Duration::from_seconds(seconds), kLongestRetry);
}

RetrySchedule::RetrySchedule(std::uint32_t attempts, MonoTime next, MonoTime now)
    : attempts_(attempts), next_(next) {
  const Duration most =
      attempts == 0
          ? Duration()
          : Duration::from_seconds(retry_interval(attempts).to_seconds() * (1 + kRetryJitter));
  next_ = std::min(next_, now + most);
}

void RetrySchedule::began(MonoTime now, double unit) {
  ++attempts_;
  established_ = false;
  began_ = now;
  const double seconds = retry_interval(attempts_).to_seconds() * (1 + kRetryJitter * unit);
  next_ = now + Duration::from_seconds(seconds);
}

void RetrySchedule::unsent() {
  if (attempts_ == 0) return;
  --attempts_;
  next_ = began_ + kFirstRetry;
}

void RetrySchedule::authenticated(MonoTime now) {
  if (!established_) return;
  established_ = false;
  attempts_ = 0;
  next_ = std::min(next_, now);
}

void EstablishmentBudget::refill(MonoTime now) {
  const std::int64_t more = (now - refilled_).ns() / kInterval.ns();
  if (more <= 0) return;
  const std::int64_t room = kBurst - tokens_;
  tokens_ += static_cast<int>(std::min(more, room));
  refilled_ = more >= room ? now : refilled_ + kInterval * more;
}

bool EstablishmentBudget::take(MonoTime now) {
  refill(now);
  if (tokens_ == 0) return false;
  if (tokens_ == kBurst) refilled_ = now;
  --tokens_;
  return true;
}

}  // namespace timepool::nts
