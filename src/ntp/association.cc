#include "ntp/association.h"

#include <algorithm>
#include <numeric>
#include <utility>

#include "base/check.h"
#include "ntp/broadcast_exchange.h"
#include "ntp/exchange.h"
#include "ntp/peer_exchange.h"

namespace timepool::ntp {
namespace {

constexpr Duration kReplyTimeout = Duration::seconds(2);
// A path slower than half a second gets four times its delay.
constexpr std::int64_t kDelaysToWait = 4;
// A broadcast that does not fit has its server asked out of turn, this often at the most.
constexpr Duration kVolleySpacing = Duration::seconds(64);

std::unique_ptr<Dialogue> make_dialogue(const AssociationConfig& config) {
  if (config.mode == TalkMode::kSymmetric) {
    return std::make_unique<PeerExchange>(config.exchange, config.own);
  }
  if (config.mode == TalkMode::kBroadcast) {
    return std::make_unique<BroadcastExchange>(config.exchange, config.way, config.own);
  }
  return std::make_unique<Exchange>(config.exchange);
}

// What stratum a packet tells: 0 is none.
int stratum_of(std::uint8_t told) {
  return told == 0 ? wire::ntp::kMaxStratum : told;
}

// The side that is nearer to the truth answers the other soon: what that one measures is the better
// the shorter its packet was kept here.
bool answers(const ServerState& own, const Sample& peer) {
  return own.synchronised() && own.stratum <= stratum_of(peer.stratum);
}

}  // namespace

Association::Association(AssociationId id, const AssociationConfig& config,
                         std::unique_ptr<Authenticator> authenticator, MonoTime first)
    : id_(id),
      config_(config),
      authenticator_(std::move(authenticator)),
      dialogue_(make_dialogue(config)),
      schedule_(config.poll, first),
      filter_(config.filter),
      estimator_({config.exchange.clock_error_ppb, config.exchange.max_clock_error_ppb,
                  config.exchange.precision, config.max_samples, config.min_samples}) {
  CHECK(authenticator_ != nullptr);
  watch_.begin(first);
}

MonoTime Association::next_deadline() const {
  MonoTime out = next_request();
  if (!missed_) out = std::min(out, reply_deadline_);
  if (listens() && online()) out = std::min(out, watch_.next());
  return out;
}

Duration Association::reply_timeout() const {
  if (estimator_.empty()) return kReplyTimeout;
  return std::max(kReplyTimeout, estimator_.latest().delay * kDelaysToWait);
}

void Association::handle_timer(LocalTime now, RandomStream& random, Outbox& out) {
  if (listens() && online() && watch_.overdue(now.mono)) {
    reach_ = static_cast<std::uint8_t>(reach_ << 1);
    ++unanswered_;
  }
  if (!asks()) return tell_unreachable(out);
  const bool due = schedule_.request_due(now.mono);
  if (!missed_ && dialogue_->waiting() && (due || now.mono >= reply_deadline_)) miss(now, random);
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
  if (config_.probes) schedule_.missed(now.mono, unanswered_, random);
}

void Association::request(LocalTime now, RandomStream& random, Outbox& out) {
  if (!listens()) {
    was_reachable_ = reach_ != 0;
    reach_ = static_cast<std::uint8_t>(reach_ << 1);
  }
  denied_ = false;
  schedule_.sent(now.mono, random);
  if (is_peer() && last_answer_ && answers(config_.own->state, last_answer_->sample)) {
    // The other's next packet comes within 17/16 of the interval.
    schedule_.pause_until(now.mono + exp2_seconds(schedule_.poll()) / 8 * 9);
  }
  SendAction send;
  send.association = id_;
  send.to = config_.server;
  send.held = is_peer();
  ByteWriter writer(send.buffer);
  if (!dialogue_->start(now, schedule_.poll(), random, *authenticator_, writer)) {
    missed_ = true;
    return;
  }
  send.length = writer.size();
  CHECK(out.sends.push_back(send));
  ++requests_;
  missed_ = false;
  reply_deadline_ = is_peer() ? MonoTime::max() : now.mono + reply_timeout();
}

void Association::warm_up(RandomStream& random, Outbox& out) {
  schedule_.warmed_up();
  SendAction send;
  send.association = id_;
  send.to = config_.server;
  ByteWriter writer(send.buffer);
  if (!dialogue_->warm_up(random, *authenticator_, writer)) return;
  send.length = writer.size();
  CHECK(out.sends.push_back(send));
}

ReplyReason Association::handle_datagram(const ReplyRx& rx, Bytes datagram, RandomStream& random,
                                         Outbox& out) {
  Reply reply;
  if (!listens() || online()) reply = dialogue_->handle_datagram(rx, datagram, *authenticator_);
  if (reply.reason == ReplyReason::kAccepted) cross_leap(rx.leap, reply);
  const bool slow = reply.reason == ReplyReason::kAccepted && stands_out(reply.sample);
  if (slow) reply.reason = ReplyReason::kTooDelayed;
  last_reason_ = reply.reason;
  ++counts_[static_cast<std::size_t>(reply.reason)];
  if (reply.reason == ReplyReason::kPeerUnasked) keep_pace_with(reply.sample, rx.now.mono);
  if (reply.broadcast) {
    hear(reply, slow, rx.now.mono, out);
    return reply.reason;
  }
  if (!is_answer(reply.reason)) return reply.reason;
  if (is_peer()) keep_pace_with(reply.sample, rx.now.mono);
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

// Requests are planned without regard to broadcasts, but for those that can't be used without one.
void Association::hear(const Reply& reply, bool slow, MonoTime now, Outbox& out) {
  watch_.heard(now, reply.sample.poll);
  reach_ = static_cast<std::uint8_t>(reach_ << 1);
  if (reply.reason == ReplyReason::kUncalibrated || reply.reason == ReplyReason::kImplausible) {
    ask_by(now, kVolleySpacing);
  }
  if (!is_answer(reply.reason)) return;
  last_answer_ = reply;
  synchronised_ = reply.reason != ReplyReason::kUnsynchronised;
  if (reply.reason == ReplyReason::kAccepted) {
    usable(out);
    const std::optional<Sample> kept = filter_.add(reply.sample);
    if (kept) take(*kept);
  } else if (reply.reason == ReplyReason::kLeapSecond || slow) {
    reach_ |= 1;
    unanswered_ = 0;
  } else {
    ++unusable_;
  }
}

bool Association::gone() const {
  if (!listens()) return false;
  const bool in_vain = asks() && !ever_answered_ && missed_ && requests_ >= kGoneAfter;
  return watch_.gone() || (in_vain && unanswered_ >= kGoneAfter);
}

// RFC 5905 9.2: both sides poll as often as the one that wants to more often, within our limits.
void Association::keep_pace_with(const Sample& peer, MonoTime now) {
  schedule_.no_slower_than(peer.poll);
  if (answers(config_.own->state, peer)) ask_by(now, Duration());
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

void Association::usable(Outbox& out) {
  if (!std::exchange(told_reachable_, true)) {
    out.event({EventKind::kReachable, id_, config_.server, ReplyReason::kAccepted});
  }
  reach_ |= 1;
  ever_answered_ = true;
  heard_ = true;
  unanswered_ = 0;
  unusable_ = 0;
}

void Association::accept(const Reply& reply, MonoTime now, RandomStream& random, Outbox& out) {
  const Sample& sample = reply.sample;
  usable(out);
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
  if (missed_ || !dialogue_->waiting()) return;
  missed_ = true;
  --requests_;
  authenticator_->handle_unsent();
  schedule_.ask_by(again, Duration());
}

void Association::ask_by(MonoTime at, Duration spacing) {
  if (denied_ || !asks()) return;
  schedule_.ask_by(at, is_peer() ? std::max(spacing, schedule_.least_interval()) : spacing);
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
  dialogue_->handle_clock_step();
  estimator_.clear();
  saved_.clear();
  filter_.clear();
  dialogue_->forget_previous();
  // Whoever answers first must not decide alone: the others are waited for as at the start.
  heard_ = false;
  unusable_ = 0;
  unanswered_ = 0;
  if (is_peer()) {
    ask_by(now, Duration());
  } else if (!denied_) {
    schedule_.restart(now);
  }
}

void Association::set_online(bool online, MonoTime now) {
  if (online == schedule_.online()) return;
  schedule_.set_online(online, now);
  if (denied_) schedule_.pause_until(now + kDeniedPause);
  if (online) return watch_.begin(now);
  dialogue_->abandon();
  missed_ = true;
  reach_ = 0;
  told_reachable_ = false;
}

}  // namespace timepool::ntp
