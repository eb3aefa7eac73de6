// BroadcastWatch: whether a server's broadcasts come as often as they say (RFC 5905 figure 31: the
// poll field is log2 of the seconds until the next).
#pragma once

#include <algorithm>
#include <cstdint>

#include "ntp/four_times.h"

namespace timepool::ntp {

// What a broadcast may announce: a second to a day and a half. What is beyond is taken for that.
inline constexpr std::int8_t kLowestBroadcastPoll = 0;
inline constexpr std::int8_t kHighestBroadcastPoll = 17;
// So many that do not come in a row, and the server is gone, as after eight polls (RFC 5905 9.2).
inline constexpr std::uint32_t kGoneAfter = 8;

inline std::int8_t broadcast_poll(std::int8_t announced) {
  return std::clamp(announced, kLowestBroadcastPoll, kHighestBroadcastPoll);
}
inline Duration broadcast_interval(std::int8_t announced) {
  return exp2_seconds(broadcast_poll(announced));
}

class BroadcastWatch {
 public:
  // The server is heard from `now` on.
  void begin(MonoTime now) {
    missed_ = 0;
    next_ = now + wait();
  }
  void heard(MonoTime now, std::int8_t announced) {
    poll_ = broadcast_poll(announced);
    begin(now);
  }
  std::int8_t poll() const { return poll_; }
  // When the next broadcast is overdue: an eighth after its time.
  MonoTime next() const { return next_; }
  // True once for each broadcast that did not come in time.
  bool overdue(MonoTime now) {
    if (now < next_) return false;
    ++missed_;
    // A machine that slept does not count up what it could not hear.
    next_ = std::max(next_, now - wait()) + exp2_seconds(poll_);
    return true;
  }
  bool gone() const { return missed_ >= kGoneAfter; }

 private:
  Duration wait() const { return exp2_seconds(poll_) / 8 * 9; }

  std::int8_t poll_ = 6;
  std::uint32_t missed_ = 0;
  MonoTime next_;
};

}  // namespace timepool::ntp
