#include "dnsd/query_handler.h"

#include "dns/shortened.h"
#include "dnsd/keyed_answer.h"
#include "sys/clock.h"
#include "sys/random.h"

namespace timepool::dnsd {

QueryHandler::QueryHandler(net::Published<Serving>& serving, const HandlerPlace& place,
                           QueryLog* log)
    : reader_(serving), place_(place), log_(log), worker_(sys::random_u64()) {
  if (place.limited_networks == 0) return;
  limiter_.emplace(place.limited_networks, SiphashKey{sys::random_u64(), sys::random_u64()},
                   sys::random_u64());
}

void QueryHandler::begin_batch() {
  serving_ = &reader_.acquire();
  if (limiter_) ticks_ = ticks_of(sys::mono_now());
}

std::size_t QueryHandler::operator()(const sys::Datagram& datagram, Bytes request,
                                     MutableBytes reply) {
  if (datagram.truncated) {
    counter_.note_dropped(dns::Reason::kDroppedLong);
    return 0;
  }
  const dns::Rx rx{datagram.from.address.unmapped(), false,
                   static_cast<std::uint32_t>(datagram.received.seconds())};
  const dns::Outcome outcome = answer(rx, request, reply);
  if (log_->wants(worker_.prng)) {
    note(datagram.received, {rx.source, datagram.from.port, 0}, datagram.to, Transport::kUdp,
         outcome, request, reply);
  }
  return outcome.length;
}

std::size_t QueryHandler::answer_stream(const dns::Rx& rx, Bytes request, MutableBytes reply) {
  const dns::Outcome outcome = answer(rx, request, reply);
  if (log_->wants(worker_.prng)) {
    const UnixTime now = sys::unix_now();
    note(now, {rx.source, 0, 0}, {}, rx.encrypted ? Transport::kTls : Transport::kTcp, outcome,
         request, reply);
  }
  return outcome.length;
}

void QueryHandler::note(UnixTime received, const Endpoint& from, const Endpoint& to,
                        Transport transport, const dns::Outcome& outcome, Bytes request,
                        Bytes reply) {
  SeenQuery seen;
  seen.received = received;
  seen.replied = sys::unix_now();
  seen.from = from;
  seen.to = to;
  seen.transport = transport;
  seen.reason = outcome.reason;
  seen.query = request;
  seen.reply = reply.first(outcome.length);
  log_->put(place_.lane, seen);
}

dns::Outcome QueryHandler::answer(const dns::Rx& rx, Bytes request, MutableBytes reply) {
  dns::Outcome outcome = dns::respond(
      rx, request, {*serving_->zones, serving_->settings, serving_->signed_zones.get()}, worker_,
      reply);
  // Who has a key is who it says.
  const bool exempt = (is_keyed(outcome) && answer_keyed(rx, request, reply, outcome)) ||
                      answer_status(rx, request, reply, outcome);
  if (limiter_ && !exempt && outcome.verdict == dns::Verdict::kReply) guard(rx, outcome, reply);
  const bool known = outcome.question_end != 0;
  counter_.note(outcome, serving_->countries->find(known ? outcome.client : rx.source));
  serving_->tally->note(place_.lane, outcome, worker_.handed);
  return outcome;
}

bool QueryHandler::answer_status(const dns::Rx& rx, Bytes request, MutableBytes reply,
                                 dns::Outcome& outcome) {
  if (!StatusNames::concerns(rx, outcome)) return false;
  const std::uint16_t size = status_names_.answer(rx, outcome, request, *serving_, reply);
  if (size == 0) return false;
  outcome.length = size;
  outcome.reason = dns::Reason::kAnswered;
  outcome.rcode = wire::dns::Rcode::kNoError;
  return true;
}

bool QueryHandler::answer_keyed(const dns::Rx& rx, Bytes request, MutableBytes reply,
                                dns::Outcome& outcome) {
  KeyedAnswer keyed = dnsd::answer_keyed(
      rx, request, serving_->transfers, static_cast<std::uint64_t>(sys::unix_now().seconds()),
      [&](Bytes bare, MutableBytes room) {
        return dns::respond(rx, bare,
                            {*serving_->zones, serving_->settings, serving_->signed_zones.get()},
                            worker_, room);
      },
      reply);
  outcome.length = static_cast<std::uint16_t>(keyed.size);
  outcome.reason = keyed.reason;
  outcome.rcode = keyed.rcode;
  outcome.opt = 0;
  stream_ = std::move(keyed.stream);
  return keyed.proved;
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

QueryCounts QueryHandler::counts() const {
  QueryCounts out = counter_.counts();
  if (limiter_) out.limit_uncounted = limiter_->uncounted();
  return out;
}

}  // namespace timepool::dnsd
