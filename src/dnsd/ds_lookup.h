// What the parent's DS set holds, as a resolver tells it. One question by UDP, which waits; by TCP
// when the answer does not fit. Not for loops that serve.
#pragma once

#include <cstdint>
#include <vector>

#include "base/byte_reader.h"
#include "base/duration.h"
#include "base/ip.h"
#include "base/result.h"
#include "wire/dns/constants.h"
#include "wire/dns/name.h"

namespace timepool::dnsd {

// The data of each DS record (RFC 4034 5.1).
using DsSet = std::vector<std::vector<std::byte>>;

// The question, with RD and AD: a validating resolver tells by AD that it proved the answer.
std::vector<std::byte> ds_question(wire::dns::NameView zone, std::uint16_t id);
// The answer to it. An empty set: the parent has none. It counts when the resolver has validated it
// (AD), or is itself a server of the zone above (AA). Errors: kInvalid when it is none to this
// question; kUnavailable when the resolver failed (its code is told), the answer is cut off, or
// nothing proves it.
Result<DsSet> parse_ds_answer(Bytes answer, wire::dns::NameView zone, std::uint16_t id);
// Asks. Errors: also kUnavailable when there is no answer in time.
Result<DsSet> look_up_ds(const Endpoint& resolver, wire::dns::NameView zone, Duration timeout);

}  // namespace timepool::dnsd
