// The names of a zone as its labels make them: those that have data, those between them and the
// apex, where the zone is cut, and what lies below a cut.
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "dns/zone/zone.h"

namespace timepool::dns {

enum class NameKind : std::uint8_t {
  kName,      // answered from this zone
  kCut,       // delegated: it has name servers, and is not the apex (RFC 1034 4.2.1)
  kBelowCut,  // not of this zone any more; addresses there are glue
};

struct ZoneName {
  std::string name;  // as Label::name; empty for the apex
  NameKind kind = NameKind::kName;
};

// `labelled`: the names that labels give, without their targets. With every name between one of
// them and the apex, which exist too (RFC 8020). In order, the apex first.
std::vector<ZoneName> zone_names(const Zone& zone, const std::set<std::string>& labelled);

// "b.c" of "a.b.c"; empty for a name of one label.
std::string_view parent_of(std::string_view name);

}  // namespace timepool::dns
