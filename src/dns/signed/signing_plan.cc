#include "dns/signed/signing_plan.h"

#include <algorithm>
#include <numeric>
#include <set>
#include <utility>

#include "base/check.h"
#include "base/siphash.h"
#include "dns/signed/denial.h"
#include "dns/signed/subset.h"
#include "dns/zone/weighted.h"
#include "dnssec/rrsig.h"

namespace timepool::dns {
namespace {

using dnssec::CanonicalRrset;
using dnssec::ZoneKey;
using wire::dns::NameView;
using wire::dns::RrType;
using Special = SignedZones::Special;

// A hash of parts, each with its size, so that no two lists of parts are alike by accident. The
// key is fixed: what is hashed is our own.
class Hasher {
 public:
  void bytes(Bytes part) {
    integer(part.size());
    integer(siphash24(kKey, part));
  }
  void integer(std::uint64_t value) { state_ = siphash13(kKey, state_, value); }
  std::uint64_t value() const { return state_; }

 private:
  static constexpr SiphashKey kKey{0x7469'6d65'706f'6f6c, 0x7369'676e'6564'2e7a};
  std::uint64_t state_ = 0;
};

std::uint64_t hash_of(std::span<const ZoneKey* const> keys) {
  Hasher out;
  for (const ZoneKey* key : keys) {
    out.integer(static_cast<std::uint64_t>(key->algorithm));
    out.integer(key->tag);
    out.bytes(key->public_key);
  }
  return out.value();
}

void append16(std::vector<std::byte>& out, std::uint32_t value) {
  out.push_back(static_cast<std::byte>(value >> 8 & 0xff));
  out.push_back(static_cast<std::byte>(value & 0xff));
}

// As CompiledZones has records: the owner a pointer to the question.
void append_head(std::vector<std::byte>& out, RrType type, std::uint32_t ttl, std::size_t size) {
  append16(out, 0xc00c);
  append16(out, static_cast<std::uint32_t>(type));
  append16(out, static_cast<std::uint32_t>(wire::dns::RrClass::kIn));
  append16(out, ttl >> 16);
  append16(out, ttl & 0xffff);
  append16(out, static_cast<std::uint32_t>(size));
}

std::uint32_t ttl_of(Bytes record) {
  ByteReader reader(record);
  reader.skip(6);
  return reader.u32();
}

std::string wire_of(const wire::dns::DnsName& origin) {
  const Bytes wire = origin.wire();
  return {reinterpret_cast<const char*>(wire.data()), wire.size()};
}

bool is_special(std::uint32_t ref) {
  return ref >= SignedZones::ref(Special::kDnskey);
}

}  // namespace

// The signatures of one set: its records, who signs, and the buffers that every signature needs.
struct SigningPlan::Signing {
  NameView owner;
  NameView zone;
  const CanonicalRrset& rrset;
  const std::vector<const ZoneKey*>& signers;
  dnssec::Validity validity;
  std::vector<std::byte> data{};
  std::vector<std::byte> record{};
  std::vector<std::uint32_t> order{};

  using Signature = std::array<std::byte, dnssec::kSignatureSize>;

  // Puts what `key` signs of the records `of` into `data`. Returns the size of what of it stands in
  // the RRSIG.
  std::size_t write(const ZoneKey& key, std::span<const std::uint32_t> of, ByteWriter& writer) {
    dnssec::write_rrsig_head(
        writer, {rrset.type(), dnssec::signed_labels(owner), rrset.ttl(), validity}, key, zone);
    const std::size_t head = writer.size();
    rrset.write(owner, of, writer, order);
    CHECK(writer.ok());
    return head;
  }
  // Calls `each(RRSIG record up to its signature, signature)` for each key. False: signing failed.
  template <class Each>
  bool sign(std::span<const std::uint32_t> of, const Each& each) {
    const std::size_t rrsig = dnssec::rrsig_size(zone);
    data.resize(rrsig + rrset.written_at_most(owner, of.size()));
    for (const ZoneKey* key : signers) {
      ByteWriter writer(data);
      const std::size_t size = write(*key, of, writer);
      Signature signature;
      if (!key->signer->sign(writer.written(), signature)) return false;
      record.clear();
      append_head(record, RrType::kRrsig, rrset.ttl(), rrsig);
      record.insert(record.end(), data.begin(), data.begin() + static_cast<std::ptrdiff_t>(size));
      each(Bytes(record), signature);
    }
    return true;
  }
};

SigningPlan::SigningPlan(std::shared_ptr<const CompiledZones> zones, const dnssec::KeysByZone& keys,
                         const SigningOptions& options)
    : zones_(std::move(zones)), options_(options), rings_(zones_->zones().size()) {
  CHECK(options_.variants >= 1 && options_.variants <= kMaxSubsets);
  for (std::uint32_t i = 0; i < rings_.size(); ++i) {
    if (take_keys(i, keys)) continue;
    rings_[i] = {};
    rings_[i].withheld = keys.contains(wire_of(zones_->zones()[i].origin));
  }
  for (const auto& zone : zones_->zones()) {
    if (zone.parent_cut != CompiledZones::kNone) hidden_cuts_.insert(zone.parent_cut);
  }
  // A zone's nodes stand behind each other, the apex first.
  const auto& nodes = zones_->nodes();
  for (std::uint32_t node = 0; node < nodes.size(); ++node) {
    Keyring& ring = rings_[nodes[node].zone];
    if (ring.keys == nullptr) continue;
    if (ring.soa_set == CompiledZones::kNone) {
      ring.apex = node;
      add_zone(nodes[node].zone);
    }
    add_node(nodes[node].zone, node);
  }
}

bool SigningPlan::take_keys(std::uint32_t zone, const dnssec::KeysByZone& keys) {
  const auto& origin = zones_->zones()[zone].origin;
  const auto at = keys.find(wire_of(origin));
  if (at == keys.end() || at->second == nullptr) return false;
  Keyring& ring = rings_[zone];
  ring.keys = at->second;
  for (const ZoneKey& key : ring.keys->keys) {
    if (key.signer == nullptr) continue;
    if (key.signs_data) ring.data.push_back(&key);
    if (key.signs_keys) ring.entry.push_back(&key);
  }
  const auto refuse = [&](const char* why) {
    problems_.push_back(format(origin) + ": " + why + "; nothing is given of the zone");
    return false;
  };
  if (ring.data.empty()) return refuse("no key that signs its records");
  if (ring.entry.empty()) return refuse("no key that signs its keys");
  if (ring.data.size() > kMaxSigners || ring.entry.size() > kMaxSigners) {
    return refuse("more than 4 keys would sign each record set");
  }
  ring.data_hash = hash_of(ring.data);
  ring.entry_hash = hash_of(ring.entry);
  return true;
}

void SigningPlan::add_zone(std::uint32_t zone) {
  Keyring& ring = rings_[zone];
  const auto& apex = zones_->nodes()[ring.apex];
  const CompiledZones::Entry* entry = zones_->entry(apex, RrType::kSoa);
  CHECK(entry != nullptr && !entry->by_class);  // every apex has one
  ring.soa_set = entry->ref;
  // RFC 9077 3: the lesser of the SOA's TTL and its MINIMUM, as the SOA of negative answers has it.
  ring.nsec_ttl = ttl_of(zones_->soa(zones_->zones()[zone]));
  add(zone, ring.apex, SignedZones::ref(Special::kDnskey));
  if (!ring.keys->cds.empty()) add(zone, ring.apex, SignedZones::ref(Special::kCds));
  if (!ring.keys->cdnskey.empty()) add(zone, ring.apex, SignedZones::ref(Special::kCdnskey));
}

void SigningPlan::add_node(std::uint32_t zone, std::uint32_t node) {
  // RFC 4035 2.2: what lies below a cut is not the zone's to sign.
  if (zones_->nodes()[node].kind == CompiledZones::NodeKind::kHidden && !is_cut(node)) return;
  add_sets(zone, node);
  add_nsecs(zone, node);
}

bool SigningPlan::is_cut(std::uint32_t node) const {
  return zones_->nodes()[node].kind == CompiledZones::NodeKind::kCut || hidden_cuts_.contains(node);
}

// Of a delegation the zone has NS, unsigned, and DS (RFC 4035 2.2 and 2.3).
bool SigningPlan::is_of_zone(std::uint32_t node, RrType type) const {
  return !is_cut(node) || type == RrType::kDs;
}

void SigningPlan::add_sets(std::uint32_t zone, std::uint32_t node) {
  std::set<std::uint32_t> sets;
  const CompiledZones::Node& at = zones_->nodes()[node];
  for (const auto& entry : zones_->entries(at)) {
    for (const std::uint32_t set : zones_->sets_of(at, entry)) {
      if (set != CompiledZones::kNone && is_of_zone(node, zones_->sets()[set].type)) {
        sets.insert(set);
      }
    }
  }
  for (const std::uint32_t set : sets) add(zone, node, set);
}

std::vector<RrType> SigningPlan::types_of(std::uint32_t zone, std::uint32_t node) const {
  std::set<RrType> types{RrType::kRrsig, RrType::kNsec};
  const CompiledZones::Node& at = zones_->nodes()[node];
  for (const auto& entry : zones_->entries(at)) {
    for (const std::uint32_t set : zones_->sets_of(at, entry)) {
      if (set == CompiledZones::kNone) continue;
      const RrType type = zones_->sets()[set].type;
      if (is_of_zone(node, type) || type == RrType::kNs) types.insert(type);
    }
  }
  const Keyring& ring = rings_[zone];
  if (node == ring.apex) {
    types.insert(RrType::kDnskey);
    if (!ring.keys->cds.empty()) types.insert(RrType::kCds);
    if (!ring.keys->cdnskey.empty()) types.insert(RrType::kCdnskey);
  }
  return {types.begin(), types.end()};
}

void SigningPlan::add_nsecs(std::uint32_t zone, std::uint32_t node) {
  const std::vector<RrType> types = types_of(zone, node);
  const auto has = [&types](RrType type) {
    return std::find(types.begin(), types.end(), type) != types.end();
  };
  add(zone, node, SignedZones::ref(Special::kNsecFull));
  if (has(RrType::kCname)) add(zone, node, SignedZones::ref(Special::kNsecNoData));
  std::uint32_t index = 0;
  const CompiledZones::Node& at = zones_->nodes()[node];
  for (const auto& entry : zones_->entries(at)) {
    const auto sets = zones_->sets_of(at, entry);
    const bool not_for_all =
        std::find(sets.begin(), sets.end(), CompiledZones::kNone) != sets.end();
    if (not_for_all && has(entry.type)) {
      add(zone, node, SignedZones::ref(Special::kNsecWithout, index));
    }
    ++index;
  }
}

bool SigningPlan::is_keys(const SigningTask& task) const {
  return is_special(task.ref) && task.ref < SignedZones::ref(Special::kNsecFull);
}

const std::vector<const ZoneKey*>& SigningPlan::signers_of(const SigningTask& task) const {
  const Keyring& ring = rings_[task.zone];
  return is_keys(task) ? ring.entry : ring.data;
}

// A wildcard's answers are signed under each name that is asked for (online_signer.h); what is made
// here are their records, in canonical form and order.
bool SigningPlan::is_wildcard(const SigningTask& task) const {
  return zones_->name_of(zones_->nodes()[task.node]).is_wildcard();
}

std::uint64_t SigningPlan::place_of(const SigningTask& task) const {
  Hasher out;
  out.bytes(zones_->name_of(zones_->nodes()[task.node]).wire());
  if (is_special(task.ref)) {
    out.integer(task.ref);
    return out.value();
  }
  const CompiledZones::Set& set = zones_->sets()[task.ref];
  out.integer(static_cast<std::uint64_t>(set.type));
  out.bytes(std::as_bytes(std::span(zones_->label_of(set))));
  return out.value();
}

std::uint32_t SigningPlan::variants_of(const SigningTask& task) const {
  if (is_special(task.ref)) return 1;
  const CompiledZones::Set& set = zones_->sets()[task.ref];
  if (is_wildcard(task)) return set.take < set.count ? options_.variants : 1;
  return std::min(subset_count(set.count, set.take), options_.variants);
}

SigningPlan::Source SigningPlan::nsec_of(const SigningTask& task) const {
  const CompiledZones::Node& node = zones_->nodes()[task.node];
  std::vector<RrType> types = types_of(task.zone, task.node);
  if (task.ref != SignedZones::ref(Special::kNsecFull)) std::erase(types, RrType::kCname);
  if (task.ref >= SignedZones::ref(Special::kNsecWithout)) {
    const std::uint32_t entry = task.ref - SignedZones::ref(Special::kNsecWithout);
    std::erase(types, zones_->entries(node)[entry].type);
  }
  Source out;
  out.type = RrType::kNsec;
  out.ttl = rings_[task.zone].nsec_ttl;
  std::vector<std::byte> rdata(kMaxNsec);
  ByteWriter writer(rdata);
  write_nsec(writer, zones_->name_of(node), zones_->zones()[task.zone].origin, types);
  CHECK(writer.ok());
  rdata.resize(writer.size());
  out.own.push_back(std::move(rdata));
  return out;
}

SigningPlan::Source SigningPlan::source_of(const SigningTask& task) const {
  Source out;
  if (!is_special(task.ref)) {
    const CompiledZones::Set& set = zones_->sets()[task.ref];
    out.set = &set;
    out.type = set.type;
    out.ttl = ttl_of(zones_->record(set, 0));
    out.take = set.take;
    for (std::uint32_t i = 0; i < set.count; ++i) {
      out.rdata.push_back(zones_->record(set, i).subspan(CompiledZones::kRecordHead));
    }
    return out;
  }
  if (is_keys(task)) {
    const dnssec::ZoneKeys& keys = *rings_[task.zone].keys;
    out.ttl = keys.dnskey_ttl;
    if (task.ref == SignedZones::ref(Special::kDnskey)) {
      out.type = RrType::kDnskey;
      for (const ZoneKey& key : keys.keys) {
        if (key.published) out.own.push_back(dnssec::dnskey_data(key));
      }
    } else if (task.ref == SignedZones::ref(Special::kCds)) {
      out.type = RrType::kCds;
      out.own = keys.cds;
    } else {
      out.type = RrType::kCdnskey;
      out.own = keys.cdnskey;
    }
  } else {
    out = nsec_of(task);
  }
  out.take = static_cast<std::uint32_t>(out.own.size());
  out.rdata.assign(out.own.begin(), out.own.end());
  return out;
}

void SigningPlan::add(std::uint32_t zone, std::uint32_t node, std::uint32_t ref) {
  SigningTask task{zone, node, ref};
  task.place = place_of(task);
  const Source source = source_of(task);
  const Keyring& ring = rings_[zone];
  Hasher content;
  content.bytes(zones_->name_of(zones_->nodes()[node]).wire());
  content.integer(static_cast<std::uint64_t>(source.type));
  content.integer(source.ttl);
  content.integer(source.take);
  content.integer(is_wildcard(task) ? 1 : 0);
  content.integer(is_keys(task) ? ring.entry_hash : ring.data_hash);
  content.integer(source.rdata.size());
  for (const Bytes rdata : source.rdata) content.bytes(rdata);
  task.content = content.value();
  Hasher weights;
  if (source.set != nullptr && source.set->weighted) {
    for (const std::uint32_t weight : zones_->weighted(*source.set).weights) {
      weights.integer(weight);
    }
  }
  task.weights = weights.value();
  tasks_.push_back(task);
}

std::shared_ptr<const SignedSet> SigningPlan::sign(const SigningTask& task, std::uint32_t variants,
                                                   std::uint32_t now, Prng& prng,
                                                   const SignedSet* before) {
  variants = std::clamp(variants, 1U, options_.variants);
  if (before != nullptr && (before->form != SignedSet::Form::kDraws || before->count >= variants ||
                            before->weights != task.weights || !still_good(task, *before, now))) {
    before = nullptr;
  }
  const Source source = source_of(task);
  const auto rrset = CanonicalRrset::create(source.type, source.ttl, source.rdata);
  if (!rrset.ok()) return nullptr;  // the loader checks records; their data is of their types
  auto out = std::make_shared<SignedSet>();
  out->items = static_cast<std::uint32_t>(source.rdata.size());
  out->take = static_cast<std::uint16_t>(source.take);
  out->content = task.content;
  out->weights = task.weights;
  // All signatures of a set have one head, with the time of the first.
  out->signed_at = before == nullptr ? now : before->signed_at;
  out->ttl = source.ttl;
  const bool pool = source.set != nullptr && source.set->weighted;
  out->lifetime = pool ? dnssec::Lifetime::kPool : dnssec::Lifetime::kStatic;
  const auto& signers = signers_of(task);
  out->signatures = static_cast<std::uint8_t>(signers.size());
  Signing signing{zones_->name_of(zones_->nodes()[task.node]), zones_->zones()[task.zone].origin,
                  *rrset, signers,
                  dnssec::validity_from(out->signed_at, out->lifetime, options_.times)};

  const bool whole = source.set == nullptr || is_wildcard(task);
  const bool done = whole ? sign_whole(task, source, variants, prng, signing, *out)
                          : sign_entries(source, variants, prng, signing, before, *out);
  return done ? out : nullptr;
}

bool SigningPlan::sign_whole(const SigningTask& task, const Source& source, std::uint32_t variants,
                             Prng& prng, Signing& signing, SignedSet& out) const {
  out.form = SignedSet::Form::kWhole;
  out.count = out.is_drawn() ? variants : 1;
  std::vector<std::uint32_t> chosen(source.take);
  std::iota(chosen.begin(), chosen.end(), 0U);
  if (out.is_drawn()) chosen = draw_variants(source, variants, prng);
  if (source.set != nullptr && source.set->weighted) out.drawn.assign(chosen.begin(), chosen.end());
  std::vector<std::byte> octets;
  const auto put = [&](Bytes data) {
    append_head(octets, source.type, source.ttl, data.size());
    octets.insert(octets.end(), data.begin(), data.end());
  };
  out.offsets.push_back(0);
  for (std::uint32_t i = 0; i < out.count; ++i) {
    const auto of = std::span(chosen).subspan(std::size_t{i} * source.take, source.take);
    if (is_wildcard(task)) {
      const std::vector<Bytes> sorted = signing.rrset.sorted(of);
      out.repeats = out.repeats || sorted.size() < of.size();
      for (const Bytes data : sorted) put(data);
    } else {
      for (const std::uint32_t record : of) put(source.rdata[record]);
    }
    if (i == 0) out.plain_size = static_cast<std::uint32_t>(octets.size());
    const bool done = signing.sign(of, [&](Bytes head, const Signing::Signature& signature) {
      octets.insert(octets.end(), head.begin(), head.end());
      octets.insert(octets.end(), signature.begin(), signature.end());
    });
    if (!done) return false;
    out.offsets.push_back(static_cast<std::uint32_t>(octets.size()));
  }
  out.block = SignedBlock(octets);
  return true;
}

bool SigningPlan::sign_entries(const Source& source, std::uint32_t variants, Prng& prng,
                               Signing& signing, const SignedSet* before, SignedSet& out) const {
  const std::uint32_t subsets = subset_count(out.items, source.take);
  out.form = subsets <= variants ? SignedSet::Form::kSubsets : SignedSet::Form::kDraws;
  const bool drawn = out.is_drawn();
  out.count = drawn ? variants : subsets;
  out.kept = drawn && before != nullptr ? before->count : 0;
  out.stride = static_cast<std::uint32_t>(dnssec::kSignatureSize * signing.signers.size() +
                                          (drawn ? 2 * source.take : 0));
  const auto chosen = drawn ? draw_variants(source, out.count - out.kept, prng)
                            : all_subsets(out.items, source.take);
  std::vector<std::byte> octets;
  std::vector<std::byte> entries;
  entries.reserve(std::size_t{out.count} * out.stride);
  if (out.kept > 0) {
    entries.assign(before->entry(0), before->entry(before->count));
  }
  for (std::uint32_t i = 0; i < out.count - out.kept; ++i) {
    const auto of = std::span(chosen).subspan(std::size_t{i} * source.take, source.take);
    // The heads are the same for all.
    const bool done = signing.sign(of, [&](Bytes head, const Signing::Signature& signature) {
      if (i == 0) octets.insert(octets.end(), head.begin(), head.end());
      entries.insert(entries.end(), signature.begin(), signature.end());
    });
    if (!done) return false;
    if (!drawn) continue;
    for (const std::uint32_t record : of) {
      const auto number = static_cast<std::uint16_t>(record);
      const Bytes two = std::as_bytes(std::span(&number, 1));
      entries.insert(entries.end(), two.begin(), two.end());
    }
  }
  out.entries = static_cast<std::uint32_t>(octets.size());
  octets.insert(octets.end(), entries.begin(), entries.end());
  out.block = SignedBlock(octets);
  return true;
}

std::vector<std::uint32_t> SigningPlan::draw_variants(const Source& source, std::uint32_t variants,
                                                      Prng& prng) const {
  std::vector<std::uint32_t> out(std::size_t{variants} * source.take);
  for (std::uint32_t i = 0; i < variants; ++i) {
    const std::size_t got = draw(zones_->weighted(*source.set), prng,
                                 std::span(out).subspan(std::size_t{i} * source.take, source.take));
    CHECK(got == source.take);  // at most as many as there are
  }
  return out;
}

bool SigningPlan::still_good(const SigningTask& task, const SignedSet& set,
                             std::uint32_t now) const {
  return task.content == set.content &&
         dnssec::still_good(set.signed_at, now, set.lifetime, options_.times);
}

std::shared_ptr<const SignedZones> SigningPlan::assemble(
    std::span<const std::shared_ptr<const SignedSet>> sets) const {
  CHECK(sets.size() == tasks_.size());
  std::vector<SignedZones::Item> items;
  items.reserve(sets.size());
  std::vector<SignedZones::Zone> states(rings_.size());
  for (std::size_t i = 0; i < rings_.size(); ++i) {
    const Keyring& ring = rings_[i];
    states[i] = {ring.keys, options_.times, ring.nsec_ttl, ring.data_hash,
                 ring.apex, nullptr,        ring.withheld};
  }
  for (std::size_t i = 0; i < sets.size(); ++i) {
    const SigningTask& task = tasks_[i];
    items.push_back({task.node, task.ref, sets[i]});
    if (sets[i] == nullptr) states[task.zone].withheld = true;
    if (task.ref == rings_[task.zone].soa_set) states[task.zone].soa = sets[i].get();
  }
  return SignedZones::create(zones_, std::move(states), std::move(items));
}

}  // namespace timepool::dns
