// RetrySchedule: how often a client may make a key establishment with one server: RFC 8915 4.2 lets
// it wait min(10 s * 1.5^(n-1), 5 days) after the n-th in a row that did not lead to authenticated
// time, and forget n only after one that did, and an authenticated answer by what it gave (KEC7).
#pragma once

#include <cstdint>

#include "base/time.h"

namespace timepool::nts {

inline constexpr Duration kFirstRetry = Duration::seconds(10);
inline constexpr Duration kLongestRetry = Duration::seconds(432'000);
// What comes to an interval at the most, as a share of it, so that clients fall out of step.
inline constexpr double kRetryJitter = 0.25;

// After the n-th attempt, without jitter; n is at least 1.
Duration retry_interval(std::uint32_t n);

class RetrySchedule {
 public:
  RetrySchedule() = default;
  // As it was saved. `next` is cut to what the rule allows after `now`: a clock that was set while
  // the program did not run must not stop it for good.
  RetrySchedule(std::uint32_t attempts, MonoTime next, MonoTime now);

  bool allows(MonoTime now) const { return now >= next_; }
  // When the next attempt may begin.
  MonoTime next() const { return next_; }
  // Attempts since the last one that led to authenticated time.
  std::uint32_t attempts() const { return attempts_; }

  // One begins. `unit` is random, 0 to 1.
  void began(MonoTime now, double unit);
  // It never left this machine: it does not count, and is tried again after kFirstRetry.
  void unsent();
  // It gave keys and cookies.
  void established() { established_ = true; }
  // They brought authenticated time. Means nothing before established().
  void authenticated(MonoTime now);

 private:
  std::uint32_t attempts_ = 0;
  bool established_ = false;
  MonoTime began_;
  MonoTime next_;
};

// The budget of key establishments of a whole client: so many at once, and one more in each
// interval. RFC 8915 has none; it bounds what any fault of ours, or of a network, can cost others.
class EstablishmentBudget {
 public:
  static constexpr int kBurst = 8;
  static constexpr Duration kInterval = Duration::seconds(2);

  // Whether one may begin; then it is spent.
  bool take(MonoTime now);
  // When the next may; the past when it may now.
  MonoTime next() const { return tokens_ > 0 ? MonoTime() : refilled_ + kInterval; }

 private:
  void refill(MonoTime now);
  int tokens_ = kBurst;
  MonoTime refilled_;
};

}  // namespace timepool::nts
