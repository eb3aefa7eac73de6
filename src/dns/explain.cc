#include "dns/explain.h"

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
  out.label = zones.label_of(*set);
  out.records = set->count;
  out.taken = set->take;
  return out;
}

}  // namespace timepool::dns
