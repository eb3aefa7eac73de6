// The part of the SourceSet that tells what is going to become of a source.
#include <algorithm>

#include "ntp/source_set.h"

namespace timepool::ntp {
namespace {

ServerIdentity identity_of(const Member& member) {
  ServerIdentity out;
  out.address = member.server().address;
  out.answered = member.association->has_samples();
  if (!out.answered) return out;
  const Sample& latest = member.association->latest();
  out.stratum = latest.stratum;
  out.reference_id = latest.reference_id;
  out.reference_time = latest.reference_time;
  return out;
}

void tell_dependence(const Member& member, const Members& members, Prospects& out) {
  for (const Member& other : members) {
    if (!other.association || other.id == member.id) continue;
    const Dependence found = dependence(identity_of(member), identity_of(other));
    if (found <= out.dependence) continue;
    out.dependence = found;
    out.depends_on = format(other.server());
  }
}

void tell_addresses(const Source& source, MonoTime now, Prospects& out) {
  std::vector<const AddressRecord*> dropped;
  for (const AddressRecord& record : source.addresses().records()) {
    if (record.listed) ++out.addresses;
    if (record.listed && record.state != AddressRecord::State::kInUse) ++out.spare;
    if (record.dropped && record.state == AddressRecord::State::kDropped) {
      dropped.push_back(&record);
    }
  }
  std::sort(dropped.begin(), dropped.end(), [](const AddressRecord* a, const AddressRecord* b) {
    return *a->dropped > *b->dropped;
  });
  for (const AddressRecord* record : dropped) {
    if (out.dropped.size() == kMaxDroppedTold) return;
    out.dropped.push_back({format(record->address), record->cause, now - *record->dropped});
  }
}

}  // namespace

Prospects SourceSet::prospects(const SourceReport& report, MonoTime now) const {
  Prospects out;
  out.outage = population_.outage();
  out.online = report.online;
  if (const Source* source = population_.sources().find(report.source)) {
    out.literal = source->is_literal();
    if (!out.literal) {
      out.next_lookup = source->next_resolve() - now;
      tell_addresses(*source, now, out);
    }
  }
  for (const Member& member : population_.members()) {
    if (member.id != report.association || !member.association) continue;
    out.denied = member.association->denied();
    if (member.association->asks()) out.next_request = member.association->next_request() - now;
    out.misses = member.liveness.misses();
    out.misses_limit = population_.patience_with(member);
    out.useless = std::max(member.useless, member.association->unusable());
    if (report.kind == SourceKind::kPool) out.useless_limit = population_.config().bad_limit;
    out.replacements_rest = population_.replacements_rest(now);
    tell_dependence(member, population_.members(), out);
  }
  return out;
}

}  // namespace timepool::ntp
