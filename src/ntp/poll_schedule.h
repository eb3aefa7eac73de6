// PollSchedule: when an association asks next (RFC 5905 13). A burst at the start, then every
// 2^poll seconds; sooner after a miss, since a lost packet is more likely than a dead server (F10);
// later after a RATE kiss (B30); never while it is switched off.
//
// How many packets a server gets: one each 2^poll seconds a sixteenth more or less, and besides
//   a burst at the start, when switched on, on request, or after raw time was lost: 8 at the most
//   (a
//     request may name another number), 2 s apart. Of the start's those that four answers leave
//     over follow after 4, 8, 16 and 32 s, as far as that is within the interval and the samples
//     don't allow the interval before: samples within six seconds tell the frequency badly
//   after a miss: probes after 4, 4, 8, 8, 16 ... seconds, then doubling up to the interval
//   with `burst`, after a poll in vain: up to 3 more, as many as keep the mean at 2^minpoll
//   with `presend`, a packet of warming up before each regular one at long intervals
#pragma once

#include <cstdint>
#include <limits>

#include "base/time.h"
#include "ntp/random_stream.h"

namespace timepool::ntp {

inline constexpr std::int8_t kLowestPoll = -6;     // 64 a second, for local networks
inline constexpr std::int8_t kHighestPoll = 16;    // B14: 18 hours, below a day
inline constexpr std::int8_t kRatePollLimit = 13;  // B30
inline constexpr std::int8_t kNoPresend = std::numeric_limits<std::int8_t>::max();
// Who is farther than this is not asked more often than once a second.
inline constexpr Duration kNearDelay = Duration::milliseconds(10);
// The packet of warming up goes this long before the request.
inline constexpr Duration kWarmUpLead = Duration::seconds(2);
inline constexpr int kMaxBurst = 64;

struct PollConfig {
  std::int8_t minpoll = 6;  // log2 seconds, kLowestPoll to maxpoll
  std::int8_t maxpoll = 10;
  bool iburst = true;
  bool burst = false;                // a short burst after a poll that brought nothing of use
  std::int8_t presend = kNoPresend;  // intervals from this on begin with a packet of warming up
  bool online = true;                // at the start

  bool operator==(const PollConfig&) const = default;
};

// A burst ends after `good` usable answers or `most` requests.
struct BurstSize {
  int good = 4;
  int most = 8;
};

class PollSchedule {
 public:
  // CHECKs the limits of the configuration.
  PollSchedule(const PollConfig& config, MonoTime first);

  // When there is something to send: a request or a packet of warming up. max() while offline.
  MonoTime next() const;
  bool request_due(MonoTime now) const { return online_ && now >= next_; }
  bool warm_up_due(MonoTime now) const { return now >= warm_up_at() && !request_due(now); }
  // log2 of the interval in use.
  std::int8_t poll() const;
  // The shortest that an interval becomes by its own variation.
  Duration least_interval() const;
  bool in_burst() const { return burst_left_ > 0; }
  bool online() const { return online_; }

  // A request is being sent: plans the one after it.
  void sent(MonoTime now, RandomStream& random);
  void warmed_up() { warm_ = true; }
  // It brought nothing; `unanswered` in a row now. May bring the next request forward.
  void missed(MonoTime now, std::uint32_t unanswered, RandomStream& random);
  // It was answered after all, after it was missed: nothing is to be probed any more. A server that
  // answers late each time would be asked every few seconds for ever.
  void answered();
  // It was answered without usable time.
  void unusable(MonoTime now) { ask_again(now); }
  // It brought a usable sample. `score`: above 0 when it fits what was known, below when the
  // interval is too long for the clock; the interval is doubled when the sum reaches 1, and halved
  // at -1. Ends a burst when it was the last that was wanted.
  void accepted(MonoTime now, double score, RandomStream& random);
  // The round trip of a sample: only near servers are asked more often than once a second.
  void measured_delay(Duration delay);
  // B30: one step slower, at most kRatePollLimit and never above maxpoll; the interval that the
  // packet names is not looked at. Ends a burst.
  void rate_limited(MonoTime now, RandomStream& random);
  // Not before `time`, and no burst.
  void pause_until(MonoTime time);
  // Not after `at`, but not within `spacing` of the last request either. Nothing changes for a
  // server that sent RATE.
  void ask_by(MonoTime at, Duration spacing);
  // The other side of a symmetric association has this poll: the longest from now on, if the
  // settings allow.
  void no_slower_than(std::int8_t poll);
  // Other settings from now on.
  void change(const PollConfig& config);
  // Ask in a burst again, from now on: after the samples were lost.
  void restart(MonoTime now);
  // A burst from now on; not while offline or slowed down by RATE. False then.
  bool begin_burst(MonoTime now, BurstSize size);
  // Offline: nothing is sent. Online again: from now on, with the burst of the start.
  void set_online(bool online, MonoTime now);

 private:
  Duration interval(RandomStream& random) const;
  void end_start();
  Duration next_gap(RandomStream& random);
  void set_poll(int poll);
  MonoTime warm_up_at() const;
  void ask_again(MonoTime now);

  PollConfig config_;
  std::int8_t floor_;  // minpoll, raised by RATE
  std::int8_t poll_;
  MonoTime next_;
  MonoTime last_sent_;
  MonoTime regular_;  // when the next request is due if nothing hurries it
  bool online_;
  bool near_ = false;
  int far_in_a_row_ = 0;
  bool warm_ = true;          // no packet of warming up before the next request, or it is sent
  bool asked_again_ = false;  // since the last regular request
  int burst_left_ = 0;
  int burst_good_ = 0;  // still wanted
  bool start_ = false;  // the burst is the start's
  int spared_ = 0;      // requests of it that follow later
  Duration spared_gap_;
  double score_ = 0;
  int good_since_rate_ = 0;
};

}  // namespace timepool::ntp
