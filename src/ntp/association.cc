#include "ntp/association.h"

#include <algorithm>
#include <numeric>
#include <utility>

#include "base/check.h"

namespace timepool::ntp {
namespace {

constexpr Duration kReplyTimeout = Duration::seconds(2);
// A path slower than half a second gets four times its delay.
constexpr std::int64_t kDelaysToWait = 4;

}  // namespace

Association::Association(AssociationId id, const AssociationConfig& config,
                         std::unique_ptr<Authenticator> authenticator, MonoTime first)
    : id_(id),
      config_(config),
      authenticator_(std::move(authenticator)),
      exchange_(config.exchange),
      schedule_(config.poll, first),
      filter_(config.filter),
      estimator_({config.exchange.clock_error_ppb, config.exchange.max_clock_error_ppb,
                  config.exchange.precision, config.max_samples, config.min_samples}) {
  CHECK(authenticator_ != nullptr);
}

MonoTime Association::next_deadline() const {
  return missed_ ? schedule_.next() : std::min(schedule_.next(), reply_deadline_);
}

Duration Association::reply_timeout() const {
  if (estimator_.empty()) return kReplyTimeout;
  return std::max(kReplyTimeout, estimator_.latest().delay * kDelaysToWait);
}

void Association::handle_timer(LocalTime now, RandomStream& random, Outbox& out) {
  const bool due = schedule_.request_due(now.mono);
  if (!missed_ && exchange_.waiting() && (due || now.mono >= reply_deadline_)) miss(now, random);
  tell_unreachable(out);
  if (out.sends.full()) return;
  if (schedule_.request_due(now.mono)) {
    request(now, random, out);
  } else if (schedule_.warm_up_due(now.mono)) {
    warm_up(random, out);
  }
}

void Association::tell_unreachable(Outbox& out) {
  if (!told_reachable_ || reachable()) return;
  told_reachable_ = false;
  out.event({EventKind::kUnreachable, id_, config_.server, last_reason_});
}

void Association::miss(LocalTime now, RandomStream& random) {
  missed_ = true;
  ++unanswered_;
  schedule_.missed(now.mono, unanswered_, random);
}

void Association::request(LocalTime now, RandomStream& random, Outbox& out) {
  was_reachable_ = reach_ != 0;
  reach_ = static_cast<std::uint8_t>(reach_ << 1);
  denied_ = false;
  schedule_.sent(now.mono, random);
  SendAction send;
  send.association = id_;
  send.to = config_.server;
  ByteWriter writer(send.buffer);
  if (!exchange_.start(now, random, *authenticator_, writer)) {
    missed_ = true;
    return;
  }
  send.length = writer.size();
  CHECK(out.sends.push_back(send));
  ++requests_;
  missed_ = false;
  reply_deadline_ = now.mono + reply_timeout();
}

void Association::warm_up(RandomStream& random, Outbox& out) {
  schedule_.warmed_up();
  SendAction send;
  send.association = id_;
  send.to = config_.server;
  ByteWriter writer(send.buffer);
  if (!exchange_.warm_up(random, *authenticator_, writer)) return;
  send.length = writer.size();
  CHECK(out.sends.push_back(send));
}

ReplyReason Association::handle_datagram(const ReplyRx& rx, Bytes datagram, RandomStream& random,
                                         Outbox& out) {
  Reply reply = exchange_.handle_datagram(rx, datagram, *authenticator_);
  if (reply.reason == ReplyReason::kAccepted) cross_leap(rx.leap, reply);
  const bool slow = reply.reason == ReplyReason::kAccepted && stands_out(reply.sample);
  if (slow) reply.reason = ReplyReason::kTooDelayed;
  last_reason_ = reply.reason;
  ++counts_[static_cast<std::size_t>(reply.reason)];
  if (!is_answer(reply.reason)) return reply.reason;
  last_answer_ = reply;
  if (missed_) schedule_.answered();
  missed_ = true;  // nothing is waited for any more
  synchronised_ = reply.reason != ReplyReason::kUnsynchronised;
  if (reply.reason == ReplyReason::kAccepted) {
    accept(reply, rx.now.mono, random, out);
    return reply.reason;
  }
  if (reply.reason == ReplyReason::kLeapSecond || slow) {
    // It is as good as before: only the moment, or this sample, is not.
    reach_ |= 1;
    unanswered_ = 0;
    if (slow) schedule_.accepted(rx.now.mono, 0, random);
    return reply.reason;
  }
  ++unusable_;
  schedule_.unusable(rx.now.mono);
  if (is_kiss(reply.reason)) handle_kiss(reply.reason, rx.now, random, out);
  return reply.reason;
}

void Association::cross_leap(const LeapNearness& leap, Reply& reply) const {
  if (leap.dead) {
    reply.reason = ReplyReason::kLeapSecond;
  } else if (!estimator_.empty()) {
    reply.sample.offset += leap_fold(reply.sample.offset - estimator_.latest().offset, leap);
  }
}

std::uint64_t Association::received() const {
  return std::accumulate(counts_.begin(), counts_.end(), std::uint64_t{0});
}

std::uint64_t Association::answered() const {
  std::uint64_t out = 0;
  for (std::size_t i = 0; i < kReplyReasonCount; ++i) {
    if (is_answer(static_cast<ReplyReason>(i))) out += counts_[i];
  }
  return out;
}

void Association::accept(const Reply& reply, MonoTime now, RandomStream& random, Outbox& out) {
  const Sample& sample = reply.sample;
  if (!std::exchange(told_reachable_, true)) {
    out.event({EventKind::kReachable, id_, config_.server, ReplyReason::kAccepted});
  }
  reach_ |= 1;
  ever_answered_ = true;
  heard_ = true;
  unanswered_ = 0;
  unusable_ = 0;
  schedule_.measured_delay(sample.delay);
  // Interleaved mode has begun: it measures again what the reply before measured.
  if (reply.repeated) return schedule_.accepted(now, 0, random);
  const std::optional<Sample> kept = filter_.add(sample);
  if (kept) take(*kept);
  schedule_.accepted(now, kept ? estimator_.poll_score(schedule_.poll()) : 0, random);
}

void Association::take(const Sample& sample) {
  if (saved_.empty()) return estimator_.add(sample);
  estimator_.resume(std::exchange(saved_, {}), sample);
}

void Association::resume(std::vector<Sample> saved) {
  CHECK(estimator_.empty() && saved.size() <= kMaxSamples);
  saved_ = std::move(saved);
}

std::vector<Sample> Association::window() const {
  return estimator_.empty() ? saved_ : samples_of(estimator_);
}

// B30: the origin was right, or it would not have come here.
void Association::handle_kiss(ReplyReason reason, LocalTime now, RandomStream& random,
                              Outbox& out) {
  out.event({EventKind::kKiss, id_, config_.server, reason});
  if (is_kiss_rate(reason)) schedule_.rate_limited(now.mono, random);
  if (reason == ReplyReason::kKissDeny || reason == ReplyReason::kKissRstr) {
    denied_ = true;
    schedule_.pause_until(now.mono + kDeniedPause);
  }
}

void Association::handle_send_failure(MonoTime again) {
  if (missed_ || !exchange_.waiting()) return;
  missed_ = true;
  --requests_;
  schedule_.ask_by(again, Duration());
}

void Association::ask_by(MonoTime at, Duration spacing) {
  if (!denied_) schedule_.ask_by(at, spacing);
}

void Association::change(const PollConfig& poll) {
  config_.poll = poll;
  schedule_.change(poll);
}

// Whether the settings of the source want such a delay left out.
bool Association::stands_out(const Sample& sample) {
  KnownDelays known;
  known.any = !estimator_.empty();
  if (known.any) {
    known.least = estimator_.least_delay();
    known.scatter = estimator_.scatter(sample.at.mono);
  }
  return !filter_.passes(sample, known);
}

void Association::handle_time_lost(MonoTime now) {
  exchange_.handle_clock_step();
  estimator_.clear();
  saved_.clear();
  filter_.clear();
  exchange_.forget_previous();
  // Whoever answers first must not decide alone: the others are waited for as at the start.
  heard_ = false;
  unusable_ = 0;
  unanswered_ = 0;
  if (!denied_) schedule_.restart(now);
}

void Association::set_online(bool online, MonoTime now) {
  if (online == schedule_.online()) return;
  schedule_.set_online(online, now);
  if (denied_) schedule_.pause_until(now + kDeniedPause);
  if (online) return;
  exchange_.abandon();
  missed_ = true;
  reach_ = 0;
  told_reachable_ = false;
}

}  // namespace timepool::ntp
