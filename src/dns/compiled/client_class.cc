#include "dns/compiled/client_class.h"

#include <algorithm>
#include <map>
#include <unordered_map>

namespace timepool::dns {
namespace {

template <class Key>
constexpr bool kIsV4 = std::is_same_v<Key, V4Key>;

template <class Key>
Runs<Key> lay_over(const Runs<Key>& base, std::span<const GeoOverride> overrides, bool countries) {
  std::vector<PrefixValue<Key>> prefixes;
  for (const GeoOverride& item : overrides) {
    const std::uint32_t value = countries ? item.country.bits() : item.asn;
    if (value == 0 || item.prefix.base().is_v4() != kIsV4<Key>) continue;
    prefixes.push_back({key_of<Key>(item.prefix.base()), item.prefix.length(), value});
  }
  if (prefixes.empty()) return base;
  return combine([](auto values) { return values[1] != 0 ? values[1] : values[0]; }, base,
                 Runs<Key>::flatten(prefixes));
}

template <class T>
bool has(const std::vector<T>& sorted, const T& value) {
  return std::binary_search(sorted.begin(), sorted.end(), value);
}

}  // namespace

GeoTable with_overrides(const GeoTable& table, std::span<const GeoOverride> overrides) {
  GeoTable out = table;
  out.country4 = lay_over(table.country4, overrides, true);
  out.country6 = lay_over(table.country6, overrides, true);
  out.asn4 = lay_over(table.asn4, overrides, false);
  out.asn6 = lay_over(table.asn6, overrides, false);
  return out;
}

class ClassTable::Builder {
 public:
  explicit Builder(ClassTable& table) : table_(table) { index_of({}); }

  bool ok() const { return table_.classes_.size() <= kMaxClasses; }

  // What no label asks for is left out: its runs would only be walked.
  template <class Key>
  Runs<Key> runs(const Runs<Key>& country, const Runs<Key>& asn, const Runs<Key>& region,
                 const Runs<Key>& position) {
    const Runs<Key> nothing;
    const TargetUse& use = table_.use_;
    const bool regions = !use.regions.empty() || !use.groups.empty();
    std::vector<PrefixValue<Key>> hosts;
    std::vector<PrefixValue<Key>> nets;
    // The network of a client is the first 24 bits of its address, or 48 of IPv6; a label's address
    // names one when the rest of its bits are zero.
    constexpr int kNetBits = kIsV4<Key> ? 24 : 48;
    for (std::uint32_t i = 0; i < table_.use_.addresses.size(); ++i) {
      const IpAddress& address = table_.use_.addresses[i];
      if (address.is_v4() != kIsV4<Key>) continue;
      const Key key = key_of<Key>(address);
      hosts.push_back({key, kKeyBits<Key>, i + 1});
      if (Prefix(address, kNetBits).base() == address) nets.push_back({key, kNetBits, i + 1});
    }
    return combine(
        [this](auto values) {
          return cut({values[0], values[1], values[4], values[5]}, values[2], values[3]);
        },
        country, asn, Runs<Key>::flatten(hosts), Runs<Key>::flatten(nets),
        regions ? region : nothing, use.positions ? position : nothing);
  }

 private:
  // What the tables say of an address.
  struct Geo {
    std::uint32_t country, asn, region, position;
    bool operator==(const Geo&) const = default;
  };
  struct GeoHash {
    std::size_t operator()(const Geo& geo) const {
      std::uint64_t out = std::uint64_t{geo.country} << 32 | geo.asn;
      out = (out ^ geo.region) * 0x9e37'79b9'7f4a'7c15;
      return static_cast<std::size_t>((out ^ out >> 29 ^ geo.position) * 0xc2b2'ae3d'27d4'eb4f);
    }
  };

  ClientClass cut(const Geo& geo) const {
    const TargetUse& use = table_.use_;
    ClientClass out;
    const auto code = CountryCode::from_bits(static_cast<std::uint16_t>(geo.country));
    if (has(use.countries, code) ||
        (other_name(code).known() && has(use.countries, other_name(code)))) {
      out.country = code;
    }
    if (has(use.continents, continent_of(code))) out.continent = continent_of(code);
    if (geo.asn != 0 && has(use.asns, geo.asn)) out.asn = geo.asn;
    const auto region = RegionCode::from_bits(geo.region);
    if (region.known() && has(use.regions, region)) out.region = region;
    const RegionGroup group = use.groups.empty() ? RegionGroup{0} : group_of(region);
    if (group != 0 && has(use.groups, group)) out.group = group;
    if (use.positions) {
      out.position = GeoPosition::from_bits(geo.position).in_cell(table_.cell_degrees_);
    }
    // Regions and positions are here only where they are asked for.
    out.known = (geo.country != 0 && (!use.countries.empty() || !use.continents.empty())) ||
                (geo.asn != 0 && !use.asns.empty()) || geo.region != 0 || geo.position != 0;
    return out;
  }

  // The class of what the tables say, cut down to what the zone's labels ask for.
  std::uint32_t cut(const Geo& geo, std::uint32_t host, std::uint32_t net) {
    auto [at, added] = seen_.try_emplace(geo);
    if (added) at->second = cut(geo);
    ClientClass whole = at->second;
    // A label that is found for the network is found for its first address too.
    whole.host = host == net ? 0 : host;
    whole.net = net;
    return index_of(whole);
  }

  std::uint32_t index_of(const ClientClass& item) {
    if (item == last_) return last_index_;
    const auto [at, added] =
        indexes_.try_emplace(item, static_cast<std::uint32_t>(table_.classes_.size()));
    // One past the limit is enough to know.
    if (added && ok()) table_.classes_.push_back(item);
    last_ = item;
    last_index_ = at->second;
    return at->second;
  }

  ClassTable& table_;
  std::unordered_map<Geo, ClientClass, GeoHash> seen_;
  std::map<ClientClass, std::uint32_t> indexes_;
  ClientClass last_{CountryCode::from_bits(0xffff)};
  std::uint32_t last_index_ = 0;
};

std::shared_ptr<const ClassTable> ClassTable::build(const GeoTable& geo, const TargetUse& use,
                                                    int cell_degrees) {
  auto table = std::make_shared<ClassTable>();
  table->use_ = use;
  table->cell_degrees_ = cell_degrees;
  Builder builder(*table);
  auto v4 = builder.runs(geo.country4, geo.asn4, geo.region4, geo.position4);
  table->v6_ = builder.runs(geo.country6, geo.asn6, geo.region6, geo.position6);
  if (!builder.ok() || v4.size() >= ClassIndex::kMaxRuns) return nullptr;
  if (v4.size() < kMinIndexed) {
    table->few4_ = std::move(v4);
  } else {
    table->v4_ = ClassIndex(v4);
  }
  return table;
}

std::shared_ptr<const ClassTable> ClassTable::build(const GeoTable& geo, TargetUse use) {
  for (const int degrees : kCellDegrees) {
    if (auto table = build(geo, use, degrees); table != nullptr) return table;
    if (!use.positions) break;
  }
  return nullptr;
}

}  // namespace timepool::dns
