#include "dns/answer.h"

#include <array>

#include "base/byte_writer.h"

namespace timepool::dns {
namespace {

using wire::dns::NameView;
using wire::dns::Rcode;
using wire::dns::RrType;
using wire::dns::Section;
using Set = CompiledZones::Set;
using ZoneInfo = CompiledZones::ZoneInfo;

// A CNAME that leads to another name of ours is followed this often.
constexpr int kMaxChain = 8;

}  // namespace

Reason Answer::run() {
  return follow(asked_.query.name, wire::dns::kHeaderSize, 0);
}

Reason Answer::follow(NameView name, std::size_t at, int depth) {
  const CompiledZones::Place place = zones_.find(HashedName(name));
  if (place.zone == nullptr) {
    // The end of a CNAME is left to the resolver when it is not ours.
    if (depth > 0) return Reason::kAnswered;
    reply_.set_rcode(Rcode::kRefused);
    reply_.set_extended_error(ExtendedCode::kNotAuthoritative);
    return Reason::kRefusedZone;
  }
  const ZoneInfo& zone = *place.zone;
  if (depth == 0) zone_ = &zone;
  reply_.set_authoritative(true);
  const std::size_t apex_at = at + name.size() - zone.origin.size();
  if (place.node == nullptr) {
    put_denial(zone, apex_at);
    reply_.set_rcode(Rcode::kNxDomain);
    return Reason::kNxDomain;
  }
  const Set* set = find_set(place);
  if (set == nullptr && asked_.query.type == RrType::kAny && place.node->entry_count > 0) {
    put_hinfo(zone, at);
    return Reason::kAnyMinimal;
  }
  if (set == nullptr) {
    put_denial(zone, apex_at);
    return Reason::kNoData;
  }
  if (depth == 0) set_ = set;
  const std::size_t records_at = reply_.size();
  put_set(Section::kAnswer, *set, at);
  const bool is_alias = set->type == RrType::kCname && asked_.query.type != RrType::kCname &&
                        asked_.query.type != RrType::kAny;
  if (is_alias && !reply_.truncated() && depth < kMaxChain) {
    // A single record: its data is the next name, and stands in the reply without compression.
    const std::size_t target_at = records_at + CompiledZones::kRecordHead;
    const NameView target = reply_.name_at(target_at, reply_.size() - target_at);
    const Reason rest = follow(target, target_at, depth + 1);
    return rest == Reason::kNxDomain ? rest : Reason::kAnswered;
  }
  return Reason::kAnswered;
}

const Set* Answer::find_set(const CompiledZones::Place& place) {
  const RrType type = asked_.query.type;
  // For ANY a CNAME is still the one right answer; else the minimal one, if there is any type.
  const auto* entry = zones_.entry(*place.node, type == RrType::kAny ? RrType::kCname : type);
  return entry == nullptr ? nullptr : zones_.set(*entry, client_class(*entry, *place.zone));
}

// RFC 7871 7.2.1: the subnet's class, and how much of the subnet the answer depends on.
std::uint32_t Answer::client_class(const CompiledZones::Entry& entry, const ZoneInfo& zone) {
  if (!entry.by_class) return ClassTable::kUnknown;
  const auto& edns = asked_.query.edns;
  if (edns && edns->client_subnet && edns->client_subnet->source > 0) {
    const ClassTable::Found found = zone.classes->find(edns->client_subnet->address.unmapped());
    reply_.need_scope(found.scope);
    // Where nothing is known of the subnet, the resolver's own place is the best guess, for the
    // whole of the scope alike.
    if (found.index != ClassTable::kUnknown) return found.index;
  }
  return zone.classes->find(asked_.rx.source).index;
}

void Answer::put_set(Section section, const Set& set, std::size_t owner_at) {
  HandedOut& handed = asked_.worker.handed;
  Prng& prng = asked_.worker.prng;
  if (!set.weighted) {
    // All of them, from a random one on, so that none is always first.
    std::uint32_t at = set.count > 1 ? static_cast<std::uint32_t>(prng.below(set.count)) : 0;
    for (std::uint32_t i = 0; i < set.take; ++i) {
      if (!reply_.put(section, zones_.record(set, at), owner_at)) return;
      if (++at == set.count) at = 0;
    }
    return;
  }
  handed.count = static_cast<std::uint32_t>(
      draw(zones_.weighted(set), prng, std::span(handed.records).first(set.take)));
  for (const std::uint32_t record : handed.list()) {
    if (!reply_.put(section, zones_.record(set, record), owner_at)) return;
  }
}

void Answer::put_denial(const ZoneInfo& zone, std::size_t apex_at) {
  reply_.put(Section::kAuthority, zones_.soa(zone), apex_at);
}

void Answer::put_hinfo(const ZoneInfo& zone, std::size_t owner_at) {
  std::array<std::byte, 32> bytes;
  ByteWriter record(bytes);
  record.u16(0);
  record.u16(static_cast<std::uint16_t>(RrType::kHinfo));
  record.u16(static_cast<std::uint16_t>(wire::dns::RrClass::kIn));
  record.u32(zone.ttl);
  record.u16(9);
  record.u8(7);
  record.text("RFC8482");
  record.u8(0);
  reply_.put(Section::kAnswer, record.written(), owner_at);
}

}  // namespace timepool::dns
