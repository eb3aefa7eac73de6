#include "dns/compiled/explain.h"

#include <algorithm>
#include <array>
#include <span>

namespace timepool::dns {

Explanation explain(const CompiledZones& zones, wire::dns::NameView name, wire::dns::RrType type,
                    const IpAddress& address) {
  Explanation out;
  const CompiledZones::Place place = zones.find(HashedName(name));
  if (place.zone == nullptr) return out;
  out.in_zone = true;
  out.zone = format(place.zone->origin);
  const ClassTable::Found found = place.zone->classes->find(address.unmapped());
  out.client = place.zone->classes->classes()[found.index];
  if (place.node == nullptr) return out;
  const auto* entry = zones.entry(*place.node, type);
  if (entry == nullptr) return out;
  if (entry->by_class) out.scope = found.scope;
  const CompiledZones::Set* set = zones.set(*entry, found.index);
  if (set == nullptr) return out;
  out.set = set;
  out.label = zones.label_of(*set);
  out.records = set->count;
  out.taken = set->take;
  return out;
}

std::vector<double> chances(const CompiledZones& zones, const CompiledZones::Set& set, Prng& prng) {
  if (!set.weighted) return std::vector<double>(set.count, 1.0);
  std::vector<int> times(set.count, 0);
  std::array<std::uint32_t, kMaxTake> drawn;
  for (int i = 0; i < kExplainDraws; ++i) {
    const std::size_t count =
        draw(zones.weighted(set), prng,
             std::span(drawn).first(std::min<std::size_t>(set.take, kMaxTake)));
    for (std::size_t k = 0; k < count; ++k) ++times[drawn[k]];
  }
  std::vector<double> out;
  for (const int count : times) out.push_back(static_cast<double>(count) / kExplainDraws);
  return out;
}

}  // namespace timepool::dns
