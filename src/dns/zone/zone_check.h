// What no zone may hold, whatever document it came from: found before it is served, with the label
// to blame.
#pragma once

#include <optional>
#include <string>

#include "dns/zone/zone.h"

namespace timepool::dns {

// An alias may lead to another one, but over no more than these.
inline constexpr int kMaxAliases = 8;

struct ZoneFault {
  std::string label;  // as Label::name
  std::string text;   // "alias leads in a circle: a, b, a"
};

// The first of: aliases that some client would be led round by, at any level of targeting; aliases
// over more than kMaxAliases others; name servers at a wildcard (RFC 4592 4.2 leaves open what they
// would mean); more types at a label than are told apart.
std::optional<ZoneFault> find_fault(const Zone& zone);

// RFC 2181 5: a set has each record once. Of equal ones the first stays, with the weights of all,
// at most kMaxWeight.
void merge_repeats(Zone& zone);

}  // namespace timepool::dns
