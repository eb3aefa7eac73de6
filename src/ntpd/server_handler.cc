#include "ntpd/server_handler.h"

#include "sys/clock.h"

namespace timepool::ntpd {

ServerHandler::ServerHandler(net::Published<ntp::Service>& service)
    : reader_(service), responder_(ntp::Responder::Options{}) {}

std::size_t ServerHandler::operator()(const sys::Datagram& datagram, Bytes request,
                                      MutableBytes reply) {
  if (datagram.truncated) {
    drop(ntp::Reason::kBadLength, datagram);
    return 0;
  }
  const ntp::RxInfo rx{datagram.received, datagram.from, datagram.to};
  const ntp::Response response = responder_.respond(rx, request, *service_, reply);
  if (response.verdict != ntp::Verdict::kReply) {
    drop(response.reason, datagram);
    return 0;
  }
  count(response.reason);
  responder_.finish(response, *service_, sys::unix_now(), reply.first(response.length));
  return response.length;
}

void ServerHandler::count(ntp::Reason reason) {
  // Written by this thread alone: no read-modify-write needed.
  std::atomic<std::uint64_t>& counter = counts_[static_cast<std::size_t>(reason)];
  counter.store(counter.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
}

void ServerHandler::drop(ntp::Reason reason, const sys::Datagram& datagram) {
  count(reason);
  dropped_[static_cast<std::size_t>(reason)].note(datagram.received, datagram.from);
}

void ServerHandler::add_counts(ReasonCounts& out) const {
  for (std::size_t i = 0; i < out.size(); ++i) {
    out[i] += counts_[i].load(std::memory_order_relaxed);
  }
}

}  // namespace timepool::ntpd
