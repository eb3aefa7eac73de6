// Association: a client's relation to one server address, or to one peer: asks it, judges what
// comes back, and keeps what is known of it. It does no I/O: what is to be sent goes to the Outbox.
//
// A miss is counted when the reply timeout passes without an answer; a reply that comes later, but
// before the next request, is still taken. A peer answers when it is its own time to, so with it a
// miss is an interval without an answer; and it never gets two packets sooner than that. Of a
// server that broadcasts each broadcast that does not come is a miss too.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "base/ip.h"
#include "ntp/authenticator.h"
#include "ntp/broadcast_watch.h"
#include "ntp/estimator.h"
#include "ntp/four_times.h"
#include "ntp/measured.h"
#include "ntp/outbox.h"
#include "ntp/own_clock.h"
#include "ntp/poll_schedule.h"
#include "ntp/sample_filter.h"

namespace timepool::ntp {

struct AssociationConfig {
  Endpoint server;
  TalkMode mode = TalkMode::kClient;
  // What a peer is told of our own time, and measured by, as broadcasts are; null for a client.
  std::shared_ptr<const OwnClock> own;
  // Of broadcasts, from the server to here: then it is never asked. Zero: that is measured.
  Duration way;
  PollConfig poll;
  ExchangeConfig exchange;
  SampleFilterConfig filter;
  std::size_t min_samples = 1;
  std::size_t max_samples = kMaxSamples;
  // Asks sooner after a miss (F10).
  bool probes = true;
};

// After DENY or RSTR a server that nothing can replace is left alone this long.
inline constexpr Duration kDeniedPause = Duration::seconds(3600);
// A server that has not answered this many requests has been decided about.
inline constexpr std::uint32_t kDecidedAfter = 3;

class Association final : public Measured {
 public:
  // The first request is due at `first`. `authenticator` must not be null.
  Association(AssociationId id, const AssociationConfig& config,
              std::unique_ptr<Authenticator> authenticator, MonoTime first);

  AssociationId id() const { return id_; }
  const Endpoint& server() const { return config_.server; }

  // When handle_timer() has something to do.
  MonoTime next_deadline() const;
  // When it is asked next.
  MonoTime next_request() const { return asks() ? schedule_.next() : MonoTime::max(); }
  // Counts a miss, sends a request, or neither. Does nothing when out.sends is full.
  void handle_timer(LocalTime now, RandomStream& random, Outbox& out);
  // A datagram that came to the association's socket.
  ReplyReason handle_datagram(const ReplyRx& rx, Bytes datagram, RandomStream& random, Outbox& out);
  // The time of sending, in raw time, of the request last given to the Outbox.
  void handle_transmit_timestamp(const TransmitStamp& stamp) {
    dialogue_->handle_transmit_timestamp(stamp);
  }
  // Offline: it is neither asked nor heard, and counts as unreachable; nothing is held against it.
  void set_online(bool online, MonoTime now);
  bool online() const { return schedule_.online(); }
  // Asks several times in a row from now on. False when it is offline or asked us to slow down, and
  // for a peer and for broadcasts of which the way is known.
  bool begin_burst(MonoTime now, BurstSize size) {
    return !is_peer() && asks() && schedule_.begin_burst(now, size);
  }
  bool in_burst() const { return schedule_.in_burst(); }
  // For the answer to the last request.
  bool waiting() const { return !missed_; }
  // The request last given to the Outbox could not be sent: no miss, and it is tried again at
  // `again` or before.
  void handle_send_failure(MonoTime again);
  // Asks at `at` unless it is to ask before anyway, but not within `spacing` of the last request,
  // and not when the server has asked for peace.
  void ask_by(MonoTime at, Duration spacing);
  void handle_clock_step() override { dialogue_->handle_clock_step(); }
  // Timestamps kept for interleaved mode are from the other side of the leap.
  void handle_leap(Duration step) override {
    estimator_.shift(step);
    saved_.clear();
    dialogue_->forget_previous();
  }
  // Samples of an earlier run, at most kMaxSamples, in the raw time of this one: they count from
  // the first sample on that this run brings, when that fits them. CHECKs that there is none yet.
  void resume(std::vector<Sample> saved);
  // The samples that there are, else those that wait for the first.
  std::vector<Sample> window() const;
  // Asks again in a burst.
  void handle_time_lost(MonoTime now) override;

  // One bit a request or broadcast, the newest lowest; set when it brought a usable sample (RFC
  // 5905 9.2).
  std::uint8_t reach() const override { return reach_; }
  // A request alone makes nobody unreachable: after an outage whoever is asked first would leave
  // the decision to those that are asked later.
  bool reachable() const override { return reach_ != 0 || (was_reachable_ && !missed_); }
  // F7.
  bool ever_answered() const { return ever_answered_; }
  std::uint32_t unanswered() const { return unanswered_; }
  // Answers in a row that brought no usable time.
  std::uint32_t unusable() const { return unusable_; }
  // DENY or RSTR was the last answer.
  bool denied() const { return denied_; }
  // It has answered since time began or was lost.
  bool heard() const { return heard_ || unusable_ > 0; }
  // It has answered, or failed to often enough that it need not be waited for.
  bool decided() const override { return heard() || unanswered_ >= kDecidedAfter; }
  // Its replies are proved to be its own.
  bool authenticated() const { return authenticator_->authenticates(); }
  // It did not say in its latest answer that it has no time.
  bool synchronised() const { return synchronised_; }
  std::int8_t poll() const { return listens() ? watch_.poll() : schedule_.poll(); }
  // It sends requests at all.
  bool asks() const { return !listens() || config_.way == Duration(); }
  // It has stopped to broadcast, or never answered when it was asked how far it is.
  bool gone() const;
  // Other settings for the same server: samples stay.
  void change(const PollConfig& poll);
  ReplyReason last_reason() const { return last_reason_; }
  std::uint64_t count(ReplyReason reason) const {
    return counts_[static_cast<std::size_t>(reason)];
  }
  // Those that were sent.
  std::uint64_t requests() const { return requests_; }
  // The last answer, whether it was used or not; a kiss too. Empty before the first.
  const std::optional<Reply>& last_answer() const { return last_answer_; }
  // Datagrams that came to it, and those of them that answered a request.
  std::uint64_t received() const;
  std::uint64_t answered() const;

  // Whether there is an estimate: samples, and reachable.
  bool measurable() const override { return reachable() && !estimator_.empty(); }
  // CHECKs that there are samples.
  Estimate estimate(MonoTime now) const override { return estimator_.estimate(now); }
  bool has_samples() const override { return !estimator_.empty(); }
  const Sample& latest() const override { return estimator_.latest(); }

 private:
  bool is_peer() const { return config_.mode == TalkMode::kSymmetric; }
  bool listens() const { return config_.mode == TalkMode::kBroadcast; }
  void hear(const Reply& reply, bool slow, MonoTime now, Outbox& out);
  void usable(Outbox& out);
  void keep_pace_with(const Sample& peer, MonoTime now);
  void cross_leap(const LeapNearness& leap, Reply& reply) const;
  void tell_unreachable(Outbox& out);
  void miss(LocalTime now, RandomStream& random);
  void request(LocalTime now, RandomStream& random, Outbox& out);
  void warm_up(RandomStream& random, Outbox& out);
  void take(const Sample& sample);
  void accept(const Reply& reply, MonoTime now, RandomStream& random, Outbox& out);
  void handle_kiss(ReplyReason reason, LocalTime now, RandomStream& random, Outbox& out);
  bool stands_out(const Sample& sample);
  Duration reply_timeout() const;

  AssociationId id_;
  AssociationConfig config_;
  std::unique_ptr<Authenticator> authenticator_;
  std::unique_ptr<Dialogue> dialogue_;
  PollSchedule schedule_;
  BroadcastWatch watch_;
  SampleFilter filter_;
  Estimator estimator_;
  std::vector<Sample> saved_;
  MonoTime reply_deadline_ = MonoTime::max();
  bool missed_ = true;  // the last request was counted as a miss, or there is none
  std::uint8_t reach_ = 0;
  bool was_reachable_ = false;  // before the last request
  bool told_reachable_ = false;
  bool ever_answered_ = false;
  bool heard_ = false;  // it has answered since time began or was lost
  bool denied_ = false;
  bool synchronised_ = true;
  std::uint32_t unanswered_ = 0;
  std::uint32_t unusable_ = 0;
  std::uint64_t requests_ = 0;
  ReplyReason last_reason_ = ReplyReason::kUnsolicited;
  std::optional<Reply> last_answer_;
  std::array<std::uint64_t, kReplyReasonCount> counts_{};
};

}  // namespace timepool::ntp
