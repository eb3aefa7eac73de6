// ClassTable: which clients a zone can tell apart. Addresses for which every label of the zone is
// looked up alike (and whose closest servers are asked for from one place) are one class, so a
// class is what the geographic data says of an address cut down to what the zone's labels ask for,
// and the runs of one class are the widest networks with equal answers. That makes the scope of a
// client-subnet answer exact (RFC 7871 7.2.1).
#pragma once

#include <compare>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "base/ip.h"
#include "base/runs.h"
#include "dns/compiled/class_index.h"
#include "dns/zone/country.h"
#include "dns/zone/position.h"
#include "dns/zone/region.h"
#include "dns/zone/zone.h"

namespace timepool::dns {

// What is known of addresses: country codes (CountryCode::bits), autonomous systems, regions
// (RegionCode::bits) and positions (GeoPosition::bits); 0: unknown.
struct GeoTable {
  Runs<V4Key> country4{};
  Runs<V6Key> country6{};
  Runs<V4Key> asn4{};
  Runs<V6Key> asn6{};
  Runs<V4Key> region4{};
  Runs<V6Key> region6{};
  Runs<V4Key> position4{};
  Runs<V6Key> position6{};

  GeoPosition position_of(const IpAddress& address) const {
    return GeoPosition::from_bits(address.is_v4() ? position4.value_at(v4_key(address))
                                                  : position6.value_at(v6_key(address)));
  }
};

// What the operator knows better.
struct GeoOverride {
  Prefix prefix;
  CountryCode country;    // none: as the table has it
  std::uint32_t asn = 0;  // 0: as the table has it
  bool operator==(const GeoOverride&) const = default;
};

// `table` with the overrides laid over it, the longest prefix first.
GeoTable with_overrides(const GeoTable& table, std::span<const GeoOverride> overrides);

// The targets that occur in a zone's labels; each list sorted, without repeats.
struct TargetUse {
  std::vector<CountryCode> countries;
  std::vector<Continent> continents;
  std::vector<std::uint32_t> asns;
  std::vector<IpAddress> addresses;  // of "[...]" labels
  std::vector<RegionCode> regions{};
  std::vector<RegionGroup> groups{};
  bool positions = false;  // labels ask for the closest addresses

  bool empty() const {
    return countries.empty() && continents.empty() && asns.empty() && addresses.empty() &&
           regions.empty() && groups.empty() && !positions;
  }
  auto operator<=>(const TargetUse&) const = default;
};

struct ClientClass {
  CountryCode country;
  Continent continent = Continent::kNone;
  std::uint32_t asn = 0;
  // Indexes into TargetUse::addresses plus one: the address itself, and its /24 or /48.
  std::uint32_t host = 0;
  std::uint32_t net = 0;
  RegionCode region{};
  RegionGroup group = 0;
  GeoPosition position{};  // the middle of a cell of ClassTable::cell_degrees()
  // The data has something of the kinds that labels ask for (its country, ...), if only that it is
  // none of theirs.
  bool known = false;

  auto operator<=>(const ClientClass&) const = default;
};

class ClassTable {
 public:
  // Class 0 is that of which nothing is known.
  static constexpr std::uint32_t kUnknown = 0;
  // Answers are kept by class: 16 bits of them are 64 times what a pool of the world needs.
  static constexpr std::size_t kMaxClasses = 65536;

  // Positions are cut to cells of one degree, or of more where that would be too many classes.
  static constexpr int kCellDegrees[] = {1, 2, 5, 10, 30};

  // nullptr past kMaxClasses.
  static std::shared_ptr<const ClassTable> build(const GeoTable& geo, TargetUse use);

  struct Found {
    std::uint32_t index = kUnknown;
    std::uint8_t scope = 0;
  };
  Found find(const IpAddress& address) const {
    if (!address.is_v4()) return found_in(v6_, v6_key(address));
    const V4Key key = key_of_v4(address);
    if (v4_.empty()) return found_in(few4_, key);
    const auto match = v4_.match(key);
    return {match.value, match.scope};
  }
  std::uint32_t index_of(const IpAddress& address) const {
    if (!address.is_v4()) return v6_.value_at(v6_key(address));
    const V4Key key = key_of_v4(address);
    return v4_.empty() ? few4_.value_at(key) : v4_.value_at(key);
  }
  // For an address that find() is about to be asked for.
  void prefetch(const IpAddress& address) const {
    if (address.is_v4() && !v4_.empty()) v4_.prefetch(key_of_v4(address));
  }

  const TargetUse& use() const { return use_; }
  int cell_degrees() const { return cell_degrees_; }
  const std::vector<ClientClass>& classes() const { return classes_; }
  std::size_t runs() const { return (v4_.empty() ? few4_.size() : v4_.runs()) + v6_.size(); }
  std::size_t memory() const {
    return v4_.memory() + few4_.memory() + v6_.memory() + classes_.capacity() * sizeof(ClientClass);
  }

 private:
  class Builder;
  // As v4_key() does, in place.
  static V4Key key_of_v4(const IpAddress& address) {
    const Bytes bytes = address.bytes();
    return std::to_integer<V4Key>(bytes[0]) << 24 | std::to_integer<V4Key>(bytes[1]) << 16 |
           std::to_integer<V4Key>(bytes[2]) << 8 | std::to_integer<V4Key>(bytes[3]);
  }
  static std::shared_ptr<const ClassTable> build(const GeoTable& geo, const TargetUse& use,
                                                 int cell_degrees);
  template <class Key>
  static Found found_in(const Runs<Key>& runs, Key key) {
    const auto match = runs.match(key);
    return {match.value, static_cast<std::uint8_t>(match.scope)};
  }

  // An index is a quarter of a megabyte, and there may be a table for each zone.
  static constexpr std::size_t kMinIndexed = 64;

  TargetUse use_;
  int cell_degrees_ = 1;
  std::vector<ClientClass> classes_;
  ClassIndex v4_;  // empty where there are fewer than kMinIndexed runs, which few4_ has then
  Runs<V4Key> few4_;
  Runs<V6Key> v6_;
};

}  // namespace timepool::dns
