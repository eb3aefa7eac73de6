// Standard master files (RFC 1035 5, RFC 2308 4, RFC 3597 5) as zones: $ORIGIN, $TTL, $INCLUDE,
// parentheses, escapes, every type that has a text form here (rdata_reader.h) and any other as
// generic data. What a zone may not hold is refused with file, line and column: names outside of
// the zone, another class than IN, a CNAME beside other data, DNAME (whose answers are not made
// here), no or two SOA, no NS at the apex. Signatures and the records that only sense with them
// (RRSIG, NSEC, NSEC3, NSEC3PARAM, DNSKEY, CDS, CDNSKEY, ZONEMD) are left out with a warning: this
// server signs by itself.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "dns/zone/zone.h"

namespace timepool::dns {

// The text of a file that $INCLUDE names, or why there is none. Who gives it decides which files
// may be had.
using IncludeReader = std::function<Result<std::string, std::string>(std::string_view name)>;

inline constexpr int kMaxIncludeDepth = 8;
inline constexpr int kMaxIncludes = 256;

// Reads `text` as the zone `origin` ("example.net"). No `include`: $INCLUDE is refused. All texts
// together are at most kMaxZoneText.
Result<Zone, ZoneError> load_master(std::string_view text, std::string_view origin,
                                    const IncludeReader& include = {});

}  // namespace timepool::dns
