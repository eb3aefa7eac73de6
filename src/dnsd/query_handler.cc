#include "dnsd/query_handler.h"

#include <algorithm>

#include "dns/shortened.h"
#include "sys/clock.h"
#include "sys/random.h"

namespace timepool::dnsd {
namespace {

// Written by one thread alone: no read-modify-write needed.
void bump(std::atomic<std::uint64_t>& counter) {
  counter.store(counter.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
}

}  // namespace

void QueryCounts::add(const QueryCounts& other) {
  for (std::size_t i = 0; i < reasons.size(); ++i) reasons[i] += other.reasons[i];
  for (std::size_t i = 0; i < types.size(); ++i) types[i] += other.types[i];
  with_subnet += other.with_subnet;
  limit_uncounted += other.limit_uncounted;
}

std::string type_label(std::size_t index) {
  return index < kCountedTypes.size() ? format(kCountedTypes[index]) : "other";
}

QueryHandler::QueryHandler(net::Published<Serving>& serving, std::size_t limited_networks)
    : reader_(serving), worker_(sys::random_u64()) {
  if (limited_networks == 0) return;
  limiter_.emplace(limited_networks, SiphashKey{sys::random_u64(), sys::random_u64()},
                   sys::random_u64());
}

void QueryHandler::begin_batch() {
  serving_ = &reader_.acquire();
  if (limiter_) ticks_ = ticks_of(sys::mono_now());
}

std::size_t QueryHandler::operator()(const sys::Datagram& datagram, Bytes request,
                                     MutableBytes reply) {
  if (datagram.truncated) {
    bump(reasons_[static_cast<std::size_t>(dns::Reason::kDroppedLong)]);
    return 0;
  }
  const dns::Rx rx{datagram.from.address.unmapped(), false,
                   static_cast<std::uint32_t>(datagram.received.seconds())};
  return answer(rx, request, reply);
}

std::size_t QueryHandler::answer(const dns::Rx& rx, Bytes request, MutableBytes reply) {
  dns::Outcome outcome = dns::respond(
      rx, request, {*serving_->zones, serving_->settings, serving_->signed_zones.get()}, worker_,
      reply);
  if (limiter_ && outcome.verdict == dns::Verdict::kReply) guard(rx, outcome, reply);
  count(outcome);
  return outcome.length;
}

void QueryHandler::guard(const dns::Rx& rx, dns::Outcome& outcome, MutableBytes reply) {
  using dns::LimitVerdict;
  if (outcome.cookie == dns::CookieUse::kGood) return;
  const Guard& guard = *serving_->guard;
  const bool knows_cookies = outcome.cookie != dns::CookieUse::kNone;
  const bool is_error = outcome.kind == dns::AnswerKind::kError;
  LimitVerdict verdict = LimitVerdict::kSlip;
  if (!guard.requires_cookies || !knows_cookies || is_error) {
    verdict = limiter_->judge(rx.source, outcome.kind, outcome.subject(), ticks_, guard.limits);
  }
  if (verdict == LimitVerdict::kDrop) {
    outcome.verdict = dns::Verdict::kDrop;
    outcome.reason = dns::Reason::kLimitDropped;
    outcome.length = 0;
    return;
  }
  // An error is as short as what it would be cut to.
  if (verdict == LimitVerdict::kPass || is_error) return;
  if (knows_cookies) {
    outcome.reason = dns::Reason::kBadCookie;
    outcome.rcode = wire::dns::Rcode::kBadCookie;
    outcome.length = dns::shorten_to_bad_cookie(reply, outcome.parts());
  } else {
    outcome.reason = dns::Reason::kLimitCut;
    outcome.rcode = wire::dns::Rcode::kNoError;
    outcome.length = dns::shorten_to_truncated(reply, outcome.parts());
  }
}

void QueryHandler::count(const dns::Outcome& outcome) {
  bump(reasons_[static_cast<std::size_t>(outcome.reason)]);
  if (outcome.client_subnet) bump(with_subnet_);
  if (outcome.type == wire::dns::RrType{}) return;
  const auto at = std::find(kCountedTypes.begin(), kCountedTypes.end(), outcome.type);
  bump(types_[static_cast<std::size_t>(at - kCountedTypes.begin())]);
}

QueryCounts QueryHandler::counts() const {
  QueryCounts out;
  for (std::size_t i = 0; i < reasons_.size(); ++i) {
    out.reasons[i] = reasons_[i].load(std::memory_order_relaxed);
  }
  for (std::size_t i = 0; i < types_.size(); ++i) {
    out.types[i] = types_[i].load(std::memory_order_relaxed);
  }
  out.with_subnet = with_subnet_.load(std::memory_order_relaxed);
  if (limiter_) out.limit_uncounted = limiter_->uncounted();
  return out;
}

}  // namespace timepool::dnsd
