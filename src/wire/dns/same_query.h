// For tests only: whether the two readers of queries say the same of a datagram.
#pragma once

#include <optional>

#include "wire/dns/query.h"

namespace timepool::wire::dns::testing {

// The same octets, not equal ones.
inline bool same_place(Bytes a, Bytes b) {
  return a.data() == b.data() && a.size() == b.size();
}
inline bool same_place(const std::optional<Bytes>& a, const std::optional<Bytes>& b) {
  return a.has_value() == b.has_value() && (!a || same_place(*a, *b));
}

inline bool same_edns(const Edns& a, const Edns& b) {
  if (a.cookie.has_value() != b.cookie.has_value() ||
      a.extended_error.has_value() != b.extended_error.has_value()) {
    return false;
  }
  return a.header == b.header && same_place(a.options, b.options) &&
         a.client_subnet == b.client_subnet && same_place(a.nsid, b.nsid) &&
         same_place(a.keepalive, b.keepalive) && a.padding == b.padding &&
         (!a.cookie || (same_place(a.cookie->client, b.cookie->client) &&
                        same_place(a.cookie->server, b.cookie->server))) &&
         (!a.extended_error || a.extended_error->code == b.extended_error->code);
}

inline bool same_query(const Query& a, const Query& b) {
  return a.header == b.header && a.has_question == b.has_question && a.type == b.type &&
         a.klass == b.klass && a.question_end == b.question_end && a.tsig_offset == b.tsig_offset &&
         (!a.has_question || same_place(a.name.wire(), b.name.wire())) &&
         a.edns.has_value() == b.edns.has_value() && (!a.edns || same_edns(*a.edns, *b.edns));
}

// Both readers read `datagram` alike, or refuse it for the same reason.
inline bool read_alike(Bytes datagram) {
  Query common;
  Query any;
  const auto first = parse_query_into(datagram, common);
  const auto second = parse_any_query_into(datagram, any);
  if (first.ok() != second.ok()) return false;
  return first.ok() ? same_query(common, any) : first.error() == second.error();
}

}  // namespace timepool::wire::dns::testing
