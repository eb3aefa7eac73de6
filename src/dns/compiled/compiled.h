// CompiledZones: zones arranged for answering. An immutable snapshot: workers read it without locks
// and without allocation, and a new one takes its place by a pointer swap.
//
//   lower-cased name -> node         open addressing by a hash of its words
//   node, type, client class -> set  one number, or an array by class where the answer depends on
//   it set -> records                   wire templates with owner C0 0C, weights, alias columns
#pragma once

#include <array>
#include <cstdint>
#include <cstring>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/byte_reader.h"
#include "base/result.h"
#include "dns/compiled/client_class.h"
#include "dns/zone/weighted.h"
#include "dns/zone/zone.h"
#include "wire/dns/constants.h"
#include "wire/dns/name.h"

namespace timepool::dns {

// The class tables made so far: building one walks the whole geographic data, and most reloads
// change no target. To be emptied when that data changes.
using ClassCache = std::map<TargetUse, std::shared_ptr<const ClassTable>>;

// A name of a request in lower case, and its hash. Names that are found at once need no more; the
// hashes of their ends are made when they are looked for.
class HashedName {
 public:
  explicit HashedName(wire::dns::NameView name);

  // The name; zeros stand behind it to the end of a word of eight octets, wherever that begins.
  Bytes wire() const { return Bytes(lower_).first(size_); }
  wire::dns::NameView view() const { return wire::dns::NameView::from_valid_wire(wire()); }
  std::uint64_t hash() const { return hash_; }

 private:
  static constexpr std::size_t kWord = sizeof(std::uint64_t);
  std::size_t size_ = 0;
  std::uint64_t hash_ = 0;
  std::array<std::byte, wire::dns::kMaxName + kWord + 1> lower_;
};

// Where the data of such a record has the name of a host, whose addresses are worth adding.
constexpr std::optional<std::size_t> target_offset(wire::dns::RrType type) {
  switch (type) {
    case wire::dns::RrType::kNs:
      return 0;
    case wire::dns::RrType::kMx:
    case wire::dns::RrType::kSvcb:
    case wire::dns::RrType::kHttps:
      return 2;
    case wire::dns::RrType::kSrv:
      return 6;
    default:
      return std::nullopt;
  }
}

class CompiledZones {
 public:
  static constexpr std::uint32_t kNone = 0xffff'ffff;
  // Owner, type, class, TTL and length in front of a record's data.
  static constexpr std::size_t kRecordHead = 12;
  static constexpr std::size_t kMaxZones = 10'000;
  // 4 bytes each: answers by class, over all names.
  static constexpr std::size_t kMaxClassCells = std::size_t{64} << 20;

  // One record set at one label, in one line of the cache.
  struct alignas(64) Set {
    wire::dns::RrType type = wire::dns::RrType::kA;
    std::uint16_t stride = 0;  // size of each record with its head; 0: by offsets
    std::uint32_t count = 0;
    std::uint32_t take = 0;     // records in an answer; as many as there are: all
    bool weighted = false;      // drawn by weight; else all, from a random one on
    std::uint16_t zone = 0;     // that its label is of, in zones()
    std::uint32_t bytes = 0;    // where its records begin
    std::uint32_t offsets = 0;  // stride 0: count + 1 of them, from `bytes` on
    std::uint32_t weights = 0;  // weighted
    std::uint32_t columns = kNone;
    std::uint32_t positive = 0;
    std::uint64_t sum = 0;
    std::uint32_t label = 0;  // its label's name, for reports
    // Its records name hosts, and some of those have addresses here (find_target).
    bool has_targets = false;

    // Addresses that are drawn by weight: what is handed out of them is counted.
    bool is_pool() const {
      return weighted && (type == wire::dns::RrType::kA || type == wire::dns::RrType::kAaaa);
    }
  };
  struct ZoneInfo {
    wire::dns::DnsName origin;
    std::uint32_t serial = 0;
    std::uint32_t ttl = 0;
    std::uint32_t soa = 0;  // its record with head in the bytes
    std::uint32_t soa_size = 0;
    std::uint32_t names = 0;
    // The zone of ours that this one is cut from, and the cut's node there, which only DS is
    // answered from (RFC 4035 3.1.4.1); kNone: there is none.
    std::uint32_t parent = kNone;
    std::uint32_t parent_cut = kNone;
    std::shared_ptr<const ClassTable> classes;
  };
  enum class NodeKind : std::uint8_t {
    kName,
    kCut,     // delegated: NS, and DS if it has any
    kHidden,  // below a cut, or at one whose child zone is served here too: no name of its zone
  };
  struct Node {
    std::uint32_t name = 0;  // in lower case, with zeros behind it to a whole number of words
    std::uint32_t entries = 0;
    std::uint16_t zone = 0;
    std::uint8_t name_size = 0;
    std::uint8_t entry_count = 0;
    NodeKind kind = NodeKind::kName;
    std::uint32_t wildcard = kNone;  // the node "*" below it (RFC 4592 2.2.1)
  };
  // type 0: what a type gets that has no entry of its own (a CNAME).
  struct Entry {
    wire::dns::RrType type{};
    bool by_class = false;
    std::uint32_t ref = kNone;  // a set, kNone for no data; or where the sets by class begin
  };

  // No two zones of one name. Errors: a text that names the zone and what it has too much of.
  static Result<std::shared_ptr<const CompiledZones>, std::string> compile(
      std::span<const Zone* const> zones, const GeoTable& geo, ClassCache& cache);

  // Where a name leads. No zone: it is outside all of them.
  struct Place {
    // The name's own, or that of the wildcard which it is answered from; nullptr: no such name.
    const Node* node = nullptr;
    // The longest name that exists of it and those above it (RFC 4592 3.3.1); `node`, if it exists.
    // When it is a cut, the zone does not answer for the name (but for DS at the cut itself).
    const Node* encloser = nullptr;
    const ZoneInfo* zone = nullptr;

    bool exists() const { return node == encloser; }
    bool synthesised() const { return node != nullptr && node != encloser; }
  };
  Place find(const HashedName& name) const {
    const Node* node = probe(name.wire(), name.hash());
    // What is hidden lies below a cut, which is found above it.
    if (node == nullptr || node->kind == NodeKind::kHidden) return find_above(name);
    return {node, node, &zones_[node->zone]};
  }
  // The node of a host that a record names, hidden ones too: glue. nullptr: it is not here.
  const Node* find_target(const HashedName& name) const { return probe(name.wire(), name.hash()); }
  // For a client whose class find() or its like will most likely be asked for.
  void prefetch(const IpAddress& client) const {
    if (widest_ != nullptr) widest_->prefetch(client);
  }
  const Node& node(std::uint32_t index) const { return nodes_[index]; }
  // The entry for `type` at `node`, or nullptr for no data.
  const Entry* entry(const Node& node, wire::dns::RrType type) const {
    const Entry* other = nullptr;
    const Entry* at = entries_.data() + node.entries;
    for (const Entry* end = at + node.entry_count; at != end; ++at) {
      if (at->type == type) return at;
      if (at->type == wire::dns::RrType{}) other = at;
    }
    return other;
  }
  // `cls` counts only where the entry is by class. nullptr for no data.
  const Set* set(const Entry& entry, std::uint32_t cls) const {
    const std::uint32_t index = entry.by_class ? class_sets_[entry.ref + cls] : entry.ref;
    return index == kNone ? nullptr : &sets_[index];
  }
  // Record `index` of `set` with its head; the owner is a pointer to offset 12.
  Bytes record(const Set& set, std::uint32_t index) const {
    if (set.stride != 0) {
      return Bytes(bytes_).subspan(set.bytes + std::size_t{index} * set.stride, set.stride);
    }
    const std::uint32_t from = offsets_[set.offsets + index];
    return Bytes(bytes_).subspan(set.bytes + from, offsets_[set.offsets + index + 1] - from);
  }
  // All of a set whose records are of one size (`stride`).
  Bytes records(const Set& set) const {
    return Bytes(bytes_).subspan(set.bytes, std::size_t{set.count} * set.stride);
  }
  Bytes soa(const ZoneInfo& zone) const { return Bytes(bytes_).subspan(zone.soa, zone.soa_size); }
  WeightedItems weighted(const Set& set) const {
    WeightedItems out;
    out.weights = std::span(weights_).subspan(set.weights, set.count);
    if (set.columns != kNone) out.columns = std::span(columns_).subspan(set.columns, set.count);
    out.sum = set.sum;
    out.positive = set.positive;
    return out;
  }

  const std::vector<ZoneInfo>& zones() const { return zones_; }
  // Where in zones() and sets() they stand; they must be of this object.
  std::uint32_t index_of(const ZoneInfo& zone) const {
    return static_cast<std::uint32_t>(&zone - zones_.data());
  }
  std::uint32_t index_of(const Set& set) const {
    return static_cast<std::uint32_t>(&set - sets_.data());
  }
  std::uint32_t index_of(const Node& node) const {
    return static_cast<std::uint32_t>(&node - nodes_.data());
  }
  const std::vector<Set>& sets() const { return sets_; }
  // A zone's stand behind each other, its apex first.
  const std::vector<Node>& nodes() const { return nodes_; }
  // In lower case.
  wire::dns::NameView name_of(const Node& node) const {
    return wire::dns::NameView::from_valid_wire(Bytes(bytes_).subspan(node.name, node.name_size));
  }
  std::span<const Entry> entries(const Node& node) const {
    return std::span(entries_).subspan(node.entries, node.entry_count);
  }
  // The sets that an entry leads to, by class where it is by class; kNone for no data.
  std::span<const std::uint32_t> sets_of(const Node& node, const Entry& entry) const {
    if (!entry.by_class) return {&entry.ref, 1};
    return std::span(class_sets_).subspan(entry.ref, zones_[node.zone].classes->classes().size());
  }
  const std::string& label_of(const Set& set) const { return labels_[set.label]; }
  std::size_t node_count() const { return nodes_.size(); }
  std::size_t set_count() const { return sets_.size(); }
  std::size_t memory() const;

 private:
  friend class Compiler;
  // Eight of them in a line of the cache. A name's slot is chosen by the lower bits of its hash.
  struct Slot {
    std::uint32_t tag = 0;  // the upper bits
    std::uint32_t node = kNone;
  };
  static std::uint32_t tag_of(std::uint64_t hash) { return static_cast<std::uint32_t>(hash >> 32); }
  // `name` as HashedName::wire() has it.
  const Node* probe(Bytes name, std::uint64_t hash) const {
    const std::size_t mask = slots_.size() - 1;
    for (std::size_t at = hash & mask;; at = (at + 1) & mask) {
      const Slot& slot = slots_[at];
      if (slot.node == kNone) return nullptr;
      if (slot.tag == tag_of(hash) && is_name_of(nodes_[slot.node], name)) {
        return &nodes_[slot.node];
      }
    }
  }
  // By words: their last one ends with zeros on both sides.
  bool is_name_of(const Node& node, Bytes name) const {
    if (node.name_size != name.size()) return false;
    const std::byte* own = bytes_.data() + node.name;
    std::uint64_t different = 0;
    for (std::size_t at = 0; at < name.size(); at += 8) {
      std::uint64_t a = 0;
      std::uint64_t b = 0;
      std::memcpy(&a, own + at, 8);
      std::memcpy(&b, name.data() + at, 8);
      different |= a ^ b;
    }
    return different == 0;
  }
  // For a name that does not exist: the longest of the names above it that does.
  Place find_above(const HashedName& name) const;

  std::vector<Slot> slots_;  // a power of two, at most half full
  std::size_t max_labels_ = 0;
  std::vector<Node> nodes_;
  std::vector<Entry> entries_;
  std::vector<Set> sets_;
  std::vector<std::uint32_t> class_sets_;
  std::vector<std::byte> bytes_;
  std::vector<std::uint32_t> offsets_;
  std::vector<std::uint32_t> weights_;
  std::vector<AliasColumn> columns_;
  std::vector<ZoneInfo> zones_;
  const ClassTable* widest_ = nullptr;  // of the zones' tables the one of the most runs
  std::vector<std::string> labels_;
};

}  // namespace timepool::dns
