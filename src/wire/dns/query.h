// The fast reader of requests for a server: one pass, no allocation, nothing copied.
#pragma once

#include <cstdint>
#include <optional>

#include "wire/dns/constants.h"
#include "wire/dns/edns.h"
#include "wire/dns/header.h"
#include "wire/dns/name.h"

namespace timepool::wire::dns {

// A request with opcode QUERY. Its views lead into the datagram and live as long.
struct Query {
  Header header;
  // False only for a request of no question that has a COOKIE option (RFC 7873 5.4).
  bool has_question = false;
  NameView name;  // at offset 12, in the case that it was sent in
  RrType type = RrType::kA;
  RrClass klass = RrClass::kIn;
  std::uint16_t question_end = kHeaderSize;  // offset of the first byte behind the question
  std::uint16_t tsig_offset = 0;             // of the TSIG record's owner; 0 is none
  std::optional<Edns> edns;

  // What may be sent back by UDP (RFC 6891 6.2.5: sizes below 512 count as 512).
  std::size_t udp_limit() const {
    return edns && edns->header.udp_size > kMaxPlainUdp ? edns->header.udp_size : kMaxPlainUdp;
  }
};

// Errors: any of the frame's, the name's and EDNS's. kShortHeader and kIsResponse must get no
// answer at all; rcode_for has the answer to the others.
Result<Query, Malformed> parse_query(Bytes datagram);
// The same into `query`, which must be fresh: a server's hot path does without the copy.
Result<void, Malformed> parse_query_into(Bytes datagram, Query& query);
// What the two above are: a reader of every query that there is, without their short way for those
// that resolvers send. Tests compare them.
Result<void, Malformed> parse_any_query_into(Bytes datagram, Query& query);

// What a server says to such a request: kNotImp for kOpcode, else kFormErr.
Rcode rcode_for(Malformed malformed);
// True where any answer could start or join a loop, or there is no header to answer.
bool must_drop(Malformed malformed);

}  // namespace timepool::wire::dns
