#include "dns/answer.h"

#include <algorithm>
#include <array>

#include "base/byte_writer.h"
#include "dns/put_set.h"

namespace timepool::dns {
namespace {

using wire::dns::NameView;
using wire::dns::Rcode;
using wire::dns::RrType;
using wire::dns::Section;
using Set = CompiledZones::Set;
using ZoneInfo = CompiledZones::ZoneInfo;
using NodeKind = CompiledZones::NodeKind;

// A CNAME that leads to another name of ours is followed this often.
constexpr int kMaxChain = 8;
// Of so many hosts the addresses are added.
constexpr std::size_t kMaxHosts = 16;

// Whether a CNAME's target is the owner of a record that stands in the reply from `from` on: the
// chain is a circle, and no record is told twice (RFC 2181 5).
bool leads_back(const Reply& reply, std::size_t from, NameView target) {
  for (std::size_t at = from; at < reply.size(); at = reply.end_of_record(at)) {
    if (reply.name_at(reply.owner_of_record(at)) == target) return true;
  }
  return false;
}

// RFC 7871 7.2.1: the subnet's class, and how much of the subnet the answer depends on.
ClassTable::Found client_class(const Asked& asked, const ZoneInfo& zone) {
  const ClassTable& classes = *zone.classes;
  const auto& edns = asked.query.edns;
  if (!edns || !edns->client_subnet || edns->client_subnet->source == 0) {
    return {classes.index_of(asked.rx.source), 0};
  }
  const IpAddress& subnet = edns->client_subnet->address;
  const ClassTable::Found found =
      subnet.is_v4() ? classes.find(subnet) : classes.find(subnet.unmapped());
  if (found.index != ClassTable::kUnknown) return found;
  // Where nothing is known of the subnet, the resolver's own place is the best guess, for the whole
  // of the scope alike.
  return {classes.index_of(asked.rx.source), found.scope};
}

// What `type` leads to at `node` for who asks, into what is fresh: a copy of what was just written
// would have to wait for it.
template <class Found>
void fill(const Asked& asked, const CompiledZones::Node& node, RrType type, Found& out) {
  const CompiledZones& zones = asked.served.zones;
  out.node = &node;
  out.entry = zones.entry(node, type);
  if (out.entry == nullptr) return;
  std::uint32_t index = ClassTable::kUnknown;
  if (out.entry->by_class) {
    const ClassTable::Found client = client_class(asked, zones.zones()[node.zone]);
    index = client.index;
    out.scope = client.scope;
  }
  out.set = zones.set(*out.entry, index);
}

}  // namespace

Answer::LookUp::LookUp(const Asked& asked, NameView of)
    : name(of), hashed(of), place(asked.served.zones.find(hashed)) {
  if (place.node == nullptr) return;
  // For ANY a CNAME is still the one right answer.
  const RrType type = asked.query.type;
  fill(asked, *place.node, type == RrType::kAny ? RrType::kCname : type, found);
  found.synthesised = place.synthesised();
}

Answer::Answer(const Asked& asked, Reply& reply)
    : asked_(asked),
      zones_(asked.served.zones),
      reply_(reply),
      signed_(asked, reply),
      asked_for_(asked, asked.query.name) {}

Reason Answer::run() {
  const Reason reason = follow(asked_for_, wire::dns::kHeaderSize, 0);
  return signed_.failure().value_or(reason);
}

Reason Answer::follow(const LookUp& looked_up, std::size_t at, int depth) {
  const CompiledZones::Place& place = looked_up.place;
  const NameView name = looked_up.name;
  if (place.zone == nullptr) {
    // The end of a CNAME is left to the resolver when it is not ours.
    if (depth > 0) return Reason::kAnswered;
    reply_.set_rcode(Rcode::kRefused);
    reply_.set_extended_error(ExtendedCode::kNotAuthoritative);
    return Reason::kRefusedZone;
  }
  const RrType type = asked_.query.type;
  if (depth == 0) zone_ = place.zone;
  const bool above = type == RrType::kDs && place.zone->parent != CompiledZones::kNone &&
                     name.size() == place.zone->origin.size();
  if (signed_.withholds(above ? zones_.zones()[place.zone->parent] : *place.zone)) {
    return withhold(depth);
  }
  if (place.encloser->kind == NodeKind::kCut && !(place.exists() && type == RrType::kDs)) {
    return refer(*place.encloser, at + name.size() - place.encloser->name_size, depth);
  }
  reply_.set_authoritative(true);
  if (asked_.served.signed_zones != nullptr) {
    owner_ = {looked_up.hashed.view(), at, place.zone, place.node, place.synthesised()};
    if (const auto reason = signed_.special(owner_)) return *reason;
  }
  if (place.node == nullptr) return deny(place, name, at);
  if (above) return answer_ds_at_apex(*place.zone, name, at);
  const Found& found = looked_up.found;
  reply_.need_scope(found.scope);
  // For ANY, a CNAME or the minimal answer, if there is any type.
  const bool any = type == RrType::kAny;
  if (found.set == nullptr && any && place.node->entry_count > 0) {
    put_hinfo(*place.zone, at);
    return Reason::kAnyMinimal;
  }
  if (found.set == nullptr) return deny(place, name, at);
  set_ = found.set;
  if (found.set->is_pool()) pool_ = found.set;
  const std::size_t records_at = reply_.size();
  if (!put_set(Section::kAnswer, found, at)) return Reason::kAnswered;
  if (found.set->type == RrType::kCname && type != RrType::kCname && !any && depth < kMaxChain) {
    // A single record: its data is the next name, and stands in the reply without compression.
    const std::size_t target_at = records_at + CompiledZones::kRecordHead;
    const NameView target = reply_.name_at(target_at);
    if (leads_back(reply_, asked_.query.question_end, target)) return Reason::kAnswered;
    const Reason rest = follow(LookUp(asked_, target), target_at, depth + 1);
    return rest == Reason::kNxDomain || rest == Reason::kSignatureLimit ||
                   rest == Reason::kSignatureFailed
               ? rest
               : Reason::kAnswered;
  }
  if (found.set->has_targets) put_addresses(found.set->type, records_at, nullptr);
  return Reason::kAnswered;
}

Reason Answer::withhold(int depth) {
  // What stands in the answer already is right; who follows the CNAME asks again.
  if (depth > 0) return Reason::kAnswered;
  reply_.set_rcode(Rcode::kServFail);
  reply_.set_extended_error(ExtendedCode::kNotReady);
  return Reason::kNotSigned;
}

Answer::Found Answer::find_set(const CompiledZones::Node& node, RrType type) {
  Found out;
  fill(asked_, node, type, out);
  reply_.need_scope(out.scope);
  return out;
}

Reason Answer::deny(const CompiledZones::Place& place, NameView name, std::size_t at) {
  if (const auto reason = signed_.deny(owner_)) return *reason;
  put_denial(*place.zone, at + name.size() - place.zone->origin.size());
  if (place.node != nullptr) return Reason::kNoData;
  reply_.set_rcode(Rcode::kNxDomain);
  return Reason::kNxDomain;
}

Reason Answer::refer(const CompiledZones::Node& cut, std::size_t cut_at, int depth) {
  // Behind a CNAME the answer is still ours.
  if (depth == 0) reply_.set_authoritative(false);
  const Found servers = find_set(cut, RrType::kNs);
  const std::size_t records_at = reply_.size();
  if (!put_set(Section::kAuthority, servers, cut_at)) return Reason::kReferral;
  if (signed_.wanted()) put_keys_of_cut(cut, cut_at);
  if (servers.set->has_targets) put_addresses(RrType::kNs, records_at, &cut);
  return Reason::kReferral;
}

// RFC 4035 3.1.4: the child's DS, or the proof that it has none.
void Answer::put_keys_of_cut(const CompiledZones::Node& cut, std::size_t cut_at) {
  const Found keys = find_set(cut, RrType::kDs);
  if (keys.set != nullptr && keys.set->type == RrType::kDs) {
    put_set(Section::kAuthority, keys, cut_at);
  } else {
    signed_.deny_keys(cut, cut_at);
  }
}

Reason Answer::answer_ds_at_apex(const ZoneInfo& zone, NameView name, std::size_t at) {
  const ZoneInfo& parent = zones_.zones()[zone.parent];
  zone_ = &parent;
  if (zone.parent_cut != CompiledZones::kNone) {
    const Found found = find_set(zones_.node(zone.parent_cut), RrType::kDs);
    if (found.set != nullptr) {
      set_ = found.set;
      put_set(Section::kAnswer, found, at);
      return Reason::kAnswered;
    }
  }
  owner_.zone = &parent;
  owner_.node = zone.parent_cut == CompiledZones::kNone ? nullptr : &zones_.node(zone.parent_cut);
  owner_.cut = true;
  if (const auto reason = signed_.deny(owner_)) return *reason;
  put_denial(parent, at + name.size() - parent.origin.size());
  return Reason::kNoData;
}

bool Answer::put_set(Section section, const Found& found, std::size_t owner_at) {
  if (!signed_.wanted()) return dns::put_set(asked_, reply_, section, *found.set, owner_at);
  SignedAnswer::Owner owner = owner_;
  owner.at = owner_at;
  owner.zone = &zones_.zones()[found.node->zone];
  owner.node = found.node;
  owner.expanded = found.synthesised;
  if (const auto put = signed_.put_set(section, owner, *found.set)) return *put;
  return dns::put_set(asked_, reply_, section, *found.set, owner_at);
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

void Answer::put_addresses(RrType type, std::size_t from, const CompiledZones::Node* cut) {
  const std::size_t skip = CompiledZones::kRecordHead + *target_offset(type);
  const std::size_t end = reply_.size();
  std::array<const CompiledZones::Node*, kMaxHosts> hosts;
  std::size_t count = 0;
  for (std::size_t at = from; at < end && count < kMaxHosts && !reply_.truncated();
       at = reply_.end_of_record(at)) {
    if (reply_.type_of_record(at) != type) continue;
    // "." stands for the owner (RFC 9460 2.5.2), or for no host at all.
    const bool own = reply_.name_at(at + skip).is_root();
    if (own && type != RrType::kSvcb && type != RrType::kHttps) continue;
    const std::size_t name_at = own ? reply_.owner_of_record(at) : at + skip;
    const auto* host = zones_.find_target(HashedName(reply_.name_at(name_at)));
    const auto known = hosts.begin() + static_cast<std::ptrdiff_t>(count);
    if (host == nullptr || std::find(hosts.begin(), known, host) != known) continue;
    hosts[count++] = host;
    // RFC 9471 3.1: without the addresses of servers below the cut there is no way to them.
    const bool needed = cut != nullptr && host->kind == NodeKind::kHidden &&
                        zones_.name_of(*host).is_within(zones_.name_of(*cut));
    put_addresses_of(*host, name_at, needed);
  }
}

void Answer::put_addresses_of(const CompiledZones::Node& host, std::size_t name_at, bool needed) {
  for (const RrType type : {RrType::kA, RrType::kAaaa}) {
    const Found found = find_set(host, type);
    if (found.set == nullptr || found.set->type != type) continue;
    const Reply::Mark before = reply_.mark();
    if (put_set(Section::kAdditional, found, name_at)) continue;
    reply_.take_back(before);
    if (needed) reply_.truncate();
  }
}

}  // namespace timepool::dns
