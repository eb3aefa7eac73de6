// Compiles zones for answering (compiled.h): the labels of a zone become names with, for each
// type and class of clients, the one record set that geodns' walk over the levels would end at.
#include <algorithm>
#include <map>
#include <set>
#include <unordered_map>
#include <utility>

#include "base/check.h"
#include "dns/compiled/compiled.h"
#include "dns/zone/label_target.h"
#include "dns/zone/zone_check.h"
#include "dns/zone/zone_names.h"

namespace timepool::dns {

namespace {

using wire::dns::DnsName;
using wire::dns::NameView;
using wire::dns::RrType;
using NodeKind = CompiledZones::NodeKind;

constexpr RrType kOther{};

// The labels that a name may be answered from, by target.
struct Base {
  std::unordered_map<TargetKey, std::uint32_t> labels;
  bool by_class = false;  // has labels besides the plain one
};

template <class T>
void sort_unique(std::vector<T>& items) {
  std::sort(items.begin(), items.end());
  items.erase(std::unique(items.begin(), items.end()), items.end());
}

}  // namespace

class Compiler {
 public:
  Compiler(const GeoTable& geo, ClassCache& cache) : geo_(geo), cache_(cache) {
    out_ = std::make_shared<CompiledZones>();
  }

  Result<std::shared_ptr<const CompiledZones>, std::string> run(
      std::span<const Zone* const> zones) {
    if (zones.size() > CompiledZones::kMaxZones) {
      return fail(std::to_string(zones.size()) + " zones, at most " +
                  std::to_string(CompiledZones::kMaxZones) + " are served");
    }
    for (const Zone* zone : zones) origins_.insert(key(zone->origin));
    for (const Zone* zone : zones) {
      if (!add(*zone)) return fail(format(zone->origin) + ": " + problem_);
    }
    // Places in it are 32 bits.
    if (out_->bytes_.size() >= CompiledZones::kNone) return fail("more than 4 GiB of records");
    link();
    return std::shared_ptr<const CompiledZones>(std::move(out_));
  }

 private:
  static std::string key(NameView name) {
    const Bytes wire = name.wire();
    return {reinterpret_cast<const char*>(wire.data()), wire.size()};
  }

  bool add(const Zone& zone) {
    zone_ = &zone;
    bases_.clear();
    sets_by_label_.clear();
    nears_.clear();
    if (const auto fault = find_fault(zone)) {
      problem_ = '\'' + fault->label + "': " + fault->text;
      return false;
    }
    if (!add_zone_info() || !find_bases() || !find_classes()) return false;
    std::set<std::string> labelled;
    for (const auto& [name, base] : bases_) labelled.insert(name);
    for (const ZoneName& name : zone_names(zone, labelled)) {
      if (!add_node(name)) return false;
    }
    return true;
  }

  // --- records ---

  void put32(std::uint32_t value) {
    for (int shift = 24; shift >= 0; shift -= 8) {
      out_->bytes_.push_back(static_cast<std::byte>(value >> shift & 0xff));
    }
  }
  void put16(std::uint32_t value) {
    out_->bytes_.push_back(static_cast<std::byte>(value >> 8 & 0xff));
    out_->bytes_.push_back(static_cast<std::byte>(value & 0xff));
  }
  void put(Bytes bytes) { out_->bytes_.insert(out_->bytes_.end(), bytes.begin(), bytes.end()); }
  std::uint32_t place() const { return static_cast<std::uint32_t>(out_->bytes_.size()); }

  void put_record(RrType type, std::uint32_t ttl, Bytes rdata) {
    put16(0xc00c);
    put16(static_cast<std::uint32_t>(type));
    put16(static_cast<std::uint32_t>(wire::dns::RrClass::kIn));
    put32(ttl);
    put16(static_cast<std::uint32_t>(rdata.size()));
    put(rdata);
  }

  bool add_zone_info() {
    const Zone& zone = *zone_;
    CompiledZones::ZoneInfo info;
    info.origin = zone.origin;
    info.serial = zone.serial;
    info.ttl = zone.ttl;
    const std::vector<std::byte> rdata = soa_data(zone);
    const std::uint32_t ttl = soa_ttl(zone);
    // RFC 2308 5.
    const std::uint32_t negative_ttl = std::min(ttl, zone.soa_minimum);
    info.soa = place();
    put_record(RrType::kSoa, negative_ttl, rdata);
    info.soa_size = place() - info.soa;
    // The answer to a query for it.
    CompiledZones::Set set;
    set.type = RrType::kSoa;
    set.stride = static_cast<std::uint16_t>(info.soa_size);
    set.count = set.take = 1;
    set.bytes = place();
    put_record(RrType::kSoa, ttl, rdata);
    set.label = label_index("");
    soa_set_ = static_cast<std::uint32_t>(out_->sets_.size());
    out_->sets_.push_back(set);
    out_->zones_.push_back(std::move(info));
    return true;
  }

  std::uint32_t label_index(const std::string& name) {
    out_->labels_.push_back(name.empty() ? "@" : name);
    return static_cast<std::uint32_t>(out_->labels_.size() - 1);
  }

  // The set of `type` at label `index`, or kNone when an answer from it would be empty.
  std::uint32_t set_of(std::uint32_t index, RrType type) {
    const auto [at, added] = sets_by_label_.try_emplace(
        std::uint64_t{index} << 16 | static_cast<std::uint64_t>(type), CompiledZones::kNone);
    if (!added) return at->second;
    const Label& label = zone_->labels[index];
    const RecordSet* records = label.find(type);
    if (records == nullptr) return CompiledZones::kNone;
    CompiledZones::Set set = arrange(label, *records);
    if (set.take == 0) return CompiledZones::kNone;
    at->second = static_cast<std::uint32_t>(out_->sets_.size());
    out_->sets_.push_back(set);
    return at->second;
  }

  // --- the closest addresses ---

  // Whether a client's place counts for the addresses at `label`.
  static bool is_near(const Label& label, const RecordSet& records) {
    // DEVIATION(geodns): AAAA are chosen as A are.
    const bool addresses = records.type == RrType::kA || records.type == RrType::kAaaa;
    // Where none may be taken there is nothing to choose.
    return label.closest && addresses && label.max_hosts > 0 &&
           records.records.size() > label.max_hosts;
  }
  static bool is_near(const Label& label) {
    return std::any_of(label.sets.begin(), label.sets.end(),
                       [&label](const RecordSet& set) { return is_near(label, set); });
  }

  // The answers of one record set to clients anywhere.
  struct Near {
    std::vector<UnitVector> servers;
    std::unordered_map<std::uint32_t, std::uint32_t> by_position;
    std::map<std::vector<std::uint32_t>, std::uint32_t> by_records;
  };

  // As set_of(), for a client at position_.
  std::uint32_t set_for_client(std::uint32_t index, RrType type) {
    const Label& label = zone_->labels[index];
    const RecordSet* records = label.find(type);
    if (!position_.known() || records == nullptr || !is_near(label, *records)) {
      return set_of(index, type);
    }
    Near& near = nears_[std::uint64_t{index} << 16 | static_cast<std::uint64_t>(type)];
    if (near.servers.empty()) {
      for (const ZoneRecord& record : records->records) {
        near.servers.push_back(unit_vector(geo_.position_of(IpAddress::from_bytes(record.rdata))));
      }
    }
    const auto [at, added] = near.by_position.try_emplace(position_.bits(), CompiledZones::kNone);
    if (added) at->second = near_set(label, *records, index, near);
    return at->second;
  }

  std::uint32_t near_set(const Label& label, const RecordSet& records, std::uint32_t index,
                         Near& near) {
    const auto chosen = closest(unit_vector(position_), near.servers, label.max_hosts);
    if (chosen.size() == records.records.size()) return set_of(index, records.type);
    const auto [at, added] = near.by_records.try_emplace(chosen, CompiledZones::kNone);
    if (!added) return at->second;
    RecordSet some{records.type, {}, records.ttl, {}};
    for (const std::uint32_t record : chosen) some.records.push_back(records.records[record]);
    const CompiledZones::Set set = arrange(label, some);
    if (set.take == 0) return CompiledZones::kNone;
    at->second = static_cast<std::uint32_t>(out_->sets_.size());
    out_->sets_.push_back(set);
    return at->second;
  }

  CompiledZones::Set arrange(const Label& label, const RecordSet& records) {
    CompiledZones::Set set;
    set.type = records.type;
    set.zone = static_cast<std::uint16_t>(out_->zones_.size() - 1);
    set.count = static_cast<std::uint32_t>(records.records.size());
    set.label = label_index(label.name);
    // Name servers live longer than the rest unless the label says otherwise.
    constexpr std::uint32_t kNsTtl = 86400;
    const std::uint32_t ttl =
        records.ttl.value_or(label.ttl.value_or(records.type == RrType::kNs ? kNsTtl : zone_->ttl));
    set.bytes = place();
    bool equal = true;
    for (const ZoneRecord& record : records.records) {
      equal = equal && record.rdata.size() == records.records.front().rdata.size();
    }
    if (!equal) set.offsets = static_cast<std::uint32_t>(out_->offsets_.size());
    for (const ZoneRecord& record : records.records) {
      if (!equal) out_->offsets_.push_back(place() - set.bytes);
      put_record(records.type, ttl, record.rdata);
    }
    if (equal) {
      set.stride = static_cast<std::uint16_t>(CompiledZones::kRecordHead +
                                              records.records.front().rdata.size());
    } else {
      out_->offsets_.push_back(place() - set.bytes);
    }
    weigh(label, records, set);
    return set;
  }

  void weigh(const Label& label, const RecordSet& records, CompiledZones::Set& set) {
    const bool always =
        set.type == RrType::kA || set.type == RrType::kAaaa || set.type == RrType::kCname;
    for (const ZoneRecord& record : records.records) {
      set.sum += record.weight;
      set.positive += record.weight > 0;
    }
    set.take = set.count;
    if (zone_->plain || (set.sum == 0 && !always)) return;
    const std::uint32_t each = set.sum == 0 ? 1 : 0;
    set.weighted = true;
    set.take = std::min(set.type == RrType::kCname ? 1 : label.max_hosts, set.count);
    // More would be more than any answer by UDP holds.
    set.take = std::min<std::uint32_t>(set.take, kMaxTake);
    set.weights = static_cast<std::uint32_t>(out_->weights_.size());
    for (const ZoneRecord& record : records.records) out_->weights_.push_back(record.weight + each);
    if (each == 1) {
      set.sum = set.count;
      set.positive = set.count;
    }
    if (set.count > kScannedItems) {
      set.columns = static_cast<std::uint32_t>(out_->columns_.size());
      out_->columns_.resize(out_->columns_.size() + set.count);
      build_alias(std::span(out_->weights_).subspan(set.weights, set.count),
                  std::span(out_->columns_).subspan(set.columns, set.count));
    }
  }

  // --- targets and classes ---

  bool find_bases() {
    use_ = {};
    for (std::uint32_t i = 0; i < zone_->labels.size(); ++i) {
      const std::string& name = zone_->labels[i].name;
      const auto parts = label_target(name, zone_->targeting);
      use_.positions = use_.positions || is_near(zone_->labels[i]);
      if (name.find('[') == std::string::npos) bases_[name].labels[key_of(TargetKind::kPlain)] = i;
      if (!parts) continue;
      std::uint64_t value = parts->value;
      switch (parts->kind) {
        case TargetKind::kCountry:
          use_.countries.push_back(CountryCode::from_bits(static_cast<std::uint16_t>(value)));
          break;
        case TargetKind::kContinent:
          use_.continents.push_back(static_cast<Continent>(value));
          break;
        case TargetKind::kAsn:
          use_.asns.push_back(static_cast<std::uint32_t>(value));
          break;
        case TargetKind::kAddress:
          use_.addresses.push_back(parts->address);
          value = address_key(parts->address);
          break;
        case TargetKind::kRegion:
          use_.regions.push_back(RegionCode::from_bits(static_cast<std::uint32_t>(value)));
          break;
        case TargetKind::kGroup:
          use_.groups.push_back(static_cast<RegionGroup>(value));
          break;
        case TargetKind::kPlain:
          break;
      }
      Base& base = bases_[std::string(parts->base)];
      base.by_class = true;
      base.labels[key_of(parts->kind, value)] = i;
    }
    sort_unique(use_.countries);
    sort_unique(use_.continents);
    sort_unique(use_.asns);
    sort_unique(use_.addresses);
    sort_unique(use_.regions);
    sort_unique(use_.groups);
    return true;
  }

  std::uint64_t address_key(const IpAddress& address) {
    return address_keys_.try_emplace(address, address_keys_.size()).first->second;
  }

  bool find_classes() {
    const auto [at, added] = cache_.try_emplace(use_);
    if (added || at->second == nullptr) at->second = ClassTable::build(geo_, use_);
    if (at->second == nullptr) {
      problem_ = "its labels tell more than " + std::to_string(ClassTable::kMaxClasses) +
                 " classes of clients apart";
      return false;
    }
    out_->zones_.back().classes = at->second;
    return true;
  }

  // The targets of a class, most specific first.
  void levels_of(const ClientClass& client, std::vector<TargetKey>& out) {
    out.clear();
    const auto& addresses = use_.addresses;
    for (const std::uint32_t index : {client.host, client.net}) {
      if (index == 0) continue;
      out.push_back(key_of(TargetKind::kAddress, address_key(addresses[index - 1])));
    }
    if (client.asn != 0) out.push_back(key_of(TargetKind::kAsn, client.asn));
    if (client.region.known()) out.push_back(key_of(TargetKind::kRegion, client.region.bits()));
    if (client.group != 0) out.push_back(key_of(TargetKind::kGroup, client.group));
    for (const CountryCode code : {client.country, other_name(client.country)}) {
      if (code.known()) out.push_back(key_of(TargetKind::kCountry, code.bits()));
    }
    if (client.continent != Continent::kNone) {
      out.push_back(key_of(TargetKind::kContinent, static_cast<std::uint64_t>(client.continent)));
    }
    if (zone_->targeting.global) out.push_back(key_of(TargetKind::kPlain));
  }

  // --- names ---

  // The types that a query for `base` may be answered with, and whether aliases or CNAMEs are met.
  struct Reach {
    std::set<RrType> types;
    bool by_class = false;
  };
  void reach(const std::string& base, int depth, Reach& out, std::set<std::string>& seen) const {
    const auto at = bases_.find(base);
    if (at == bases_.end() || depth > kMaxAliases || !seen.insert(base).second) return;
    out.by_class = out.by_class || at->second.by_class;
    for (const auto& [target, index] : at->second.labels) {
      const Label& label = zone_->labels[index];
      for (const RecordSet& set : label.sets) {
        out.types.insert(set.type == RrType::kCname ? kOther : set.type);
      }
      out.by_class = out.by_class || is_near(label);
      if (label.alias) reach(*label.alias, depth + 1, out, seen);
    }
  }

  // geodns' walk: at each level an alias first, then a CNAME, then the type itself.
  std::uint32_t resolve(const std::string& base, const std::vector<TargetKey>& levels, RrType type,
                        int depth) {
    if (depth > kMaxAliases || --steps_ < 0) return CompiledZones::kNone;
    const auto at = bases_.find(base);
    if (at == bases_.end()) return CompiledZones::kNone;
    for (const TargetKey level : levels) {
      const auto label_at = at->second.labels.find(level);
      if (label_at == at->second.labels.end()) continue;
      const Label& label = zone_->labels[label_at->second];
      std::uint32_t found = CompiledZones::kNone;
      if (label.alias && type != RrType::kNs)
        found = resolve(*label.alias, levels, type, depth + 1);
      if (found == CompiledZones::kNone) found = set_of(label_at->second, RrType::kCname);
      if (found == CompiledZones::kNone) found = set_for_client(label_at->second, type);
      if (found != CompiledZones::kNone) return found;
    }
    return CompiledZones::kNone;
  }

  bool add_node(const ZoneName& item) {
    const std::string& base = item.name;
    const auto name = base.empty() ? Result<DnsName, wire::dns::Malformed>(zone_->origin)
                                   : DnsName::from_text(base, zone_->origin);
    CHECK(name.ok());  // the loader took the label, and this is the end of one
    const DnsName lower = wire::dns::lowered(name.value());
    const bool taken_over = !base.empty() && is_in_zone_below(lower);
    if (taken_over && (item.kind != NameKind::kCut || !origins_.contains(key(lower)))) return true;
    CompiledZones::Node node;
    node.zone = static_cast<std::uint16_t>(out_->zones_.size() - 1);
    node.name = place();
    node.name_size = static_cast<std::uint8_t>(lower.size());
    put(lower.wire());
    // CompiledZones compares words.
    out_->bytes_.resize(out_->bytes_.size() + (8 - lower.size() % 8) % 8);
    node.entries = static_cast<std::uint32_t>(out_->entries_.size());
    if (item.kind == NameKind::kName) {
      if (base.empty()) out_->entries_.push_back({RrType::kSoa, false, soa_set_});
      if (!add_entries(base)) return false;
    } else if (item.kind == NameKind::kCut) {
      node.kind = taken_over ? NodeKind::kHidden : NodeKind::kCut;
      add_plain_entries(base, {RrType::kNs, RrType::kDs});
    } else {
      node.kind = NodeKind::kHidden;
      add_plain_entries(base, {RrType::kA, RrType::kAaaa});
    }
    const std::size_t entries = out_->entries_.size() - node.entries;
    if (entries > 255) {
      problem_ = '\'' + base + "': has records of more than 255 types over all its targets";
      return false;
    }
    node.entry_count = static_cast<std::uint8_t>(entries);
    const auto index = static_cast<std::uint32_t>(out_->nodes_.size());
    if (taken_over) cuts_taken_over_[key(lower)] = index;
    if (node.kind == NodeKind::kName) ++out_->zones_.back().names;
    out_->max_labels_ = std::max(out_->max_labels_, lower.label_count());
    out_->nodes_.push_back(node);
    return true;
  }

  // What a cut is told by, and glue: whole sets, the same for all clients.
  void add_plain_entries(const std::string& base, std::initializer_list<RrType> types) {
    const auto labels = bases_.find(base);
    if (labels == bases_.end()) return;
    const auto at = labels->second.labels.find(key_of(TargetKind::kPlain));
    if (at == labels->second.labels.end()) return;
    const Label& label = zone_->labels[at->second];
    for (const RrType type : types) {
      const RecordSet* records = label.find(type);
      if (records == nullptr) continue;
      CompiledZones::Set set = arrange(label, *records);
      set.weighted = false;
      set.take = set.count;
      out_->entries_.push_back({type, false, static_cast<std::uint32_t>(out_->sets_.size())});
      out_->sets_.push_back(set);
    }
  }

  // Another zone begins at `name` or between it and this zone's apex.
  bool is_in_zone_below(const DnsName& name) const {
    for (NameView at = name; at.size() > zone_->origin.size(); at = at.parent()) {
      if (origins_.contains(key(at))) return true;
    }
    return false;
  }

  bool add_entries(const std::string& base) {
    Reach found;
    std::set<std::string> seen;
    reach(base, 0, found, seen);
    if (found.types.contains(kOther)) {
      // Where some clients get a CNAME, every type may.
      found.types.insert(RrType::kCname);
    }
    for (const RrType type : found.types) {
      CompiledZones::Entry entry{type, false, CompiledZones::kNone};
      if (!found.by_class) {
        entry.ref = resolve_for(base, {}, type);
      } else if (!resolve_by_class(base, type, entry)) {
        return false;
      }
      // At the apex the name servers are there for all, whatever the targeting.
      if (base.empty() && type == RrType::kNs && !zone_->targeting.global) {
        const auto plain = bases_.at("").labels.find(key_of(TargetKind::kPlain));
        if (plain != bases_.at("").labels.end()) {
          entry = {type, false, set_of(plain->second, type)};
        }
      }
      if (entry.by_class || entry.ref != CompiledZones::kNone || type == kOther ||
          found.types.contains(kOther)) {
        out_->entries_.push_back(entry);
      }
    }
    return true;
  }

  std::uint32_t resolve_for(const std::string& base, const ClientClass& client, RrType type) {
    // Aliases at several levels could make the walk branch: no zone that means something needs
    // more steps than this.
    steps_ = 1000;
    position_ = client.position;
    levels_of(client, levels_);
    return resolve(base, levels_, type, 0);
  }

  bool resolve_by_class(const std::string& base, RrType type, CompiledZones::Entry& entry) {
    const auto& classes = out_->zones_.back().classes->classes();
    std::vector<std::uint32_t> sets;
    sets.reserve(classes.size());
    for (const ClientClass& client : classes) sets.push_back(resolve_for(base, client, type));
    if (std::all_of(sets.begin(), sets.end(), [&](std::uint32_t s) { return s == sets[0]; })) {
      entry.ref = sets[0];
      return true;
    }
    entry.by_class = true;
    const auto [at, added] =
        class_sets_.try_emplace(sets, static_cast<std::uint32_t>(out_->class_sets_.size()));
    entry.ref = at->second;
    if (!added) return true;
    if (out_->class_sets_.size() + sets.size() > CompiledZones::kMaxClassCells) {
      problem_ = "names times classes of clients are more than " +
                 std::to_string(CompiledZones::kMaxClassCells);
      return false;
    }
    out_->class_sets_.insert(out_->class_sets_.end(), sets.begin(), sets.end());
    return true;
  }

  // --- what leads from one to another, once all zones are there ---

  void link() {
    build_slots();
    for (const CompiledZones::ZoneInfo& zone : out_->zones_) {
      const ClassTable*& widest = out_->widest_;
      if (widest == nullptr || zone.classes->runs() > widest->runs()) widest = zone.classes.get();
    }
    link_wildcards();
    link_parents();
    for (CompiledZones::Set& set : out_->sets_) set.has_targets = names_a_host_of_ours(set);
  }

  NameView name_of(const CompiledZones::Node& node) const {
    return NameView::from_valid_wire(Bytes(out_->bytes_).subspan(node.name, node.name_size));
  }

  void build_slots() {
    std::size_t size = 16;
    while (size < out_->nodes_.size() * 2 + 1) size *= 2;
    out_->slots_.resize(size);
    std::set<std::uint32_t> unnamed;
    for (const auto& [name, index] : cuts_taken_over_) unnamed.insert(index);
    for (std::uint32_t i = 0; i < out_->nodes_.size(); ++i) {
      if (unnamed.contains(i)) continue;
      const HashedName name(name_of(out_->nodes_[i]));
      std::size_t at = name.hash() & (size - 1);
      while (out_->slots_[at].node != CompiledZones::kNone) at = (at + 1) & (size - 1);
      out_->slots_[at] = {CompiledZones::tag_of(name.hash()), i};
    }
  }

  void link_wildcards() {
    for (std::uint32_t i = 0; i < out_->nodes_.size(); ++i) {
      const CompiledZones::Node& node = out_->nodes_[i];
      const NameView name = name_of(node);
      if (node.kind != NodeKind::kName || !name.is_wildcard()) continue;
      const HashedName above(name.parent());
      const CompiledZones::Node* parent = out_->find_target(above);
      // The zone's own apex may begin with "*".
      if (parent == nullptr || parent->zone != node.zone) continue;
      out_->nodes_[static_cast<std::size_t>(parent - out_->nodes_.data())].wildcard = i;
    }
  }

  void link_parents() {
    for (CompiledZones::ZoneInfo& zone : out_->zones_) {
      if (zone.origin.is_root()) continue;
      const auto above = out_->find(HashedName(zone.origin.parent()));
      if (above.zone == nullptr || above.encloser->kind == NodeKind::kCut) continue;
      zone.parent = out_->index_of(*above.zone);
      const auto cut = cuts_taken_over_.find(key(zone.origin));
      if (cut != cuts_taken_over_.end()) zone.parent_cut = cut->second;
    }
  }

  bool names_a_host_of_ours(const CompiledZones::Set& set) const {
    const auto skip = target_offset(set.type);
    if (!skip) return false;
    for (std::uint32_t i = 0; i < set.count; ++i) {
      const Bytes data = out_->record(set, i).subspan(CompiledZones::kRecordHead);
      if (data.size() <= *skip) continue;
      ByteReader reader(data.subspan(*skip));
      const auto name = wire::dns::parse_plain_name(reader);
      // "." stands for the owner itself (RFC 9460 2.5.2).
      if (name.ok() && (name->is_root() || out_->find_target(HashedName(*name)) != nullptr)) {
        return true;
      }
    }
    return false;
  }

  const GeoTable& geo_;
  ClassCache& cache_;
  std::shared_ptr<CompiledZones> out_;
  std::set<std::string> origins_;
  // Cuts whose child zone is served here too, by name: their nodes.
  std::map<std::string, std::uint32_t> cuts_taken_over_;
  std::string problem_;
  // Of the zone being added.
  const Zone* zone_ = nullptr;
  std::uint32_t soa_set_ = 0;
  std::unordered_map<std::string, Base> bases_;
  std::unordered_map<std::uint64_t, std::uint32_t> sets_by_label_;
  TargetUse use_;
  std::unordered_map<IpAddress, std::uint64_t> address_keys_;
  std::vector<TargetKey> levels_;
  std::unordered_map<std::uint64_t, Near> nears_;  // by label and type
  GeoPosition position_;                           // of the client that is resolved for
  int steps_ = 0;
  // Of all zones: their set numbers differ, so equal arrays are of one zone.
  std::map<std::vector<std::uint32_t>, std::uint32_t> class_sets_;
};

Result<std::shared_ptr<const CompiledZones>, std::string> CompiledZones::compile(
    std::span<const Zone* const> zones, const GeoTable& geo, ClassCache& cache) {
  return Compiler(geo, cache).run(zones);
}

}  // namespace timepool::dns
