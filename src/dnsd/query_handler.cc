#include "dnsd/query_handler.h"

#include <algorithm>

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
}

std::string type_label(std::size_t index) {
  return index < kCountedTypes.size() ? format(kCountedTypes[index]) : "other";
}

QueryHandler::QueryHandler(net::Published<Serving>& serving)
    : reader_(serving), worker_(sys::random_u64()) {}

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

std::size_t QueryHandler::answer_tcp(const IpAddress& source, std::uint32_t now, Bytes request,
                                     MutableBytes reply) {
  return answer({source, true, now}, request, reply);
}

std::size_t QueryHandler::answer(const dns::Rx& rx, Bytes request, MutableBytes reply) {
  const dns::Outcome outcome =
      dns::respond(rx, request, {*serving_->zones, serving_->settings}, worker_, reply);
  count(outcome);
  return outcome.length;
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
  return out;
}

}  // namespace timepool::dnsd
