#include "ntpd/server_handler.h"

namespace timepool::ntpd {

ServerHandler::ServerHandler(net::Published<ntp::Service>& service)
    : reader_(service), responder_(ntp::Responder::Options{}) {}

std::size_t ServerHandler::operator()(const sys::Datagram& datagram, Bytes request,
                                      MutableBytes reply) {
  if (datagram.truncated) {
    drop(ntp::Reason::kBadLength, datagram, request);
    return 0;
  }
  const ntp::RxInfo rx{datagram.received, datagram.from, datagram.to};
  const ntp::Response response = responder_.respond(rx, request, *service_, reply);
  if (response.verdict != ntp::Verdict::kReply) {
    drop(response.reason, datagram, request);
    return 0;
  }
  counters_.count(response.reason, request);
  pending_[replies_++] = {response, datagram.received};
  return response.length;
}

void ServerHandler::finish(std::size_t index, MutableBytes reply, UnixTime leaving) {
  const Pending& pending = pending_[index];
  responder_.finish(pending.response, *service_, leaving, reply);
  counters_.count_reply(leaving - pending.received);
}

void ServerHandler::departed(std::size_t index, UnixTime at) {
  responder_.sent(pending_[index].response, *service_, at);
}

void ServerHandler::drop(ntp::Reason reason, const sys::Datagram& datagram, Bytes request) {
  counters_.count(reason, request);
  dropped_[static_cast<std::size_t>(reason)].note(datagram.received, datagram.from);
}

}  // namespace timepool::ntpd
