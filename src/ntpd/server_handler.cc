#include "ntpd/server_handler.h"

#include "sys/clock.h"

namespace timepool::ntpd {

ServerHandler::ServerHandler(net::Published<ntp::Service>& service,
                             const ntp::Responder::Options& options)
    : reader_(service), responder_(options) {}

void ServerHandler::begin_batch() {
  service_ = &reader_.acquire();
  now_ = sys::mono_now();
  replies_ = 0;
  remembered_ = false;
  if (service_->state.shift.may_step()) look_at_clocks();
}

void ServerHandler::look_at_clocks() {
  const sys::ClockSample clocks = sys::sample_clocks();
  responder_.begin_batch(*service_, clocks.unix_time, clocks.mono);
}

std::size_t ServerHandler::operator()(const sys::Datagram& datagram, Bytes request,
                                      MutableBytes reply) {
  if (datagram.truncated) {
    drop(ntp::Reason::kBadLength, datagram.received, datagram.from, request);
    return 0;
  }
  const ntp::RxInfo rx{datagram.received, datagram.from, datagram.to, datagram.interface, now_};
  const ntp::Response response = responder_.respond(rx, request, *service_, reply);
  if (response.verdict != ntp::Verdict::kReply) {
    drop(response.reason, datagram.received, datagram.from, request);
    return 0;
  }
  remembered_ |= response.remembered;
  pending_[replies_++] = {response, datagram.received, datagram.from, request[0], {}};
  return response.length;
}

void ServerHandler::finish(std::size_t index, MutableBytes reply, UnixTime leaving) {
  Pending& pending = pending_[index];
  responder_.finish(pending.response, *service_, leaving, reply);
  pending.took = leaving - pending.received;
}

void ServerHandler::departed(std::size_t index, UnixTime at) {
  responder_.sent(pending_[index].response, *service_, at);
}

void ServerHandler::settled(std::size_t index, bool sent) {
  const Pending& pending = pending_[index];
  const ntp::Reason reason = sent ? pending.response.reason : ntp::Reason::kNotSent;
  const Bytes begin(&pending.first_octet, 1);
  if (sent) counters_.count_reply(pending.took);
  if (ntp::is_answered(reason)) return counters_.count(reason, begin);
  drop(reason, pending.received, pending.from, begin);
}

void ServerHandler::stamped(std::uint64_t name, UnixTime at) {
  ntp::Response response;
  response.receive = NtpTimestamp::from_bits(name);
  response.remembered = true;
  responder_.correct(response, reader_.acquire(), at);
}

void ServerHandler::drop(ntp::Reason reason, UnixTime received, const Endpoint& from, Bytes begin) {
  counters_.count(reason, begin);
  dropped_[static_cast<std::size_t>(reason)].note(received, from);
}

}  // namespace timepool::ntpd
