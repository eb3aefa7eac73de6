// Answers to other name servers: to requests that are proved with a key (TSIG, RFC 8945), and
// transfers (RFC 5936, RFC 1995). respond() leaves these to here, off the fast path.
#pragma once

#include <functional>
#include <memory>

#include "dns/responder.h"
#include "dnsd/answer_stream.h"
#include "dnsd/transfers.h"

namespace timepool::dnsd {

struct KeyedAnswer {
  std::size_t size = 0;
  dns::Reason reason = dns::Reason::kTsig;
  wire::dns::Rcode rcode = wire::dns::Rcode::kNoError;
  bool proved = false;                   // the request was proved with a key
  std::unique_ptr<AnswerStream> stream;  // the messages behind the first
};

// Whether `outcome` of respond() is for answer_keyed() to replace.
inline bool is_keyed(const dns::Outcome& outcome) {
  return outcome.reason == dns::Reason::kTsig || outcome.reason == dns::Reason::kRefusedTransfer;
}

// The answer to a request without TSIG into a buffer, as respond() gives it.
using PlainAnswer = std::function<dns::Outcome(Bytes request, MutableBytes reply)>;

// `transfers` may be null: there are no keys, and nothing may be copied. `now` is in Unix seconds.
// By UDP `reply` is no longer than the client takes.
KeyedAnswer answer_keyed(const dns::Rx& rx, Bytes request,
                         const std::shared_ptr<const Transfers>& transfers, std::uint64_t now,
                         const PlainAnswer& plain, MutableBytes reply);

}  // namespace timepool::dnsd
