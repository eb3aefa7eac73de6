#include "dns/put_set.h"

#include "dns/zone/weighted.h"

namespace timepool::dns {

bool put_set(const Asked& asked, Reply& reply, wire::dns::Section section,
             const CompiledZones::Set& set, std::size_t owner_at) {
  const CompiledZones& zones = asked.served.zones;
  HandedOut& handed =
      section == wire::dns::Section::kAnswer ? asked.worker.handed : asked.worker.added;
  Prng& prng = asked.worker.prng;
  if (!set.weighted) {
    // All of them, from a random one on, so that none is always first.
    std::uint32_t at = set.count > 1 ? static_cast<std::uint32_t>(prng.below(set.count)) : 0;
    for (std::uint32_t i = 0; i < set.take; ++i) {
      if (!reply.put(section, zones.record(set, at), owner_at)) return false;
      if (++at == set.count) at = 0;
    }
    return true;
  }
  const std::span<std::uint32_t> drawn = std::span(handed.records).first(set.take);
  handed.count = static_cast<std::uint32_t>(draw(zones.weighted(set), prng, drawn));
  return put_some(zones, reply, section, set, handed.list(), owner_at);
}

bool put_some(const CompiledZones& zones, Reply& reply, wire::dns::Section section,
              const CompiledZones::Set& set, std::span<const std::uint32_t> records,
              std::size_t owner_at) {
  if (set.stride != 0) {
    return reply.put_some(section, zones.records(set), set.stride, records, owner_at);
  }
  for (const std::uint32_t record : records) {
    if (!reply.put(section, zones.record(set, record), owner_at)) return false;
  }
  return true;
}

}  // namespace timepool::dns
