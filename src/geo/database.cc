#include "geo/database.h"

#include <array>
#include <charconv>
#include <initializer_list>
#include <optional>
#include <span>
#include <unordered_map>

#include "geo/mmdb_file.h"
#include "sys/file.h"

namespace timepool::geo {
namespace {

using Type = MmdbValue::Type;
using Branch = MmdbFile::Branch;

// One of the ways to a value. The layouts in use: MaxMind and DB-IP; ip-location-db; IPinfo's; what
// some converters write; and at last where the network is registered.
struct Path {
  constexpr Path(std::initializer_list<std::string_view> of) {
    for (const std::string_view step : of) steps[count++] = step;
  }
  MmdbData::Path path() const { return std::span(steps).first(count); }
  std::array<std::string_view, 3> steps;
  std::size_t count = 0;
};
constexpr Path kCountryPaths[] = {
    {"country", "iso_code"},
    {"country_code"},
    {"country", "country_code"},
    {"country"},
    {"registered_country", "iso_code"},
};
constexpr Path kAsnPaths[] = {
    {"autonomous_system_number"},
    {"asn"},
    {"traits", "autonomous_system_number"},
};
// The first level of subdivisions, as geodns takes it.
constexpr Path kRegionPaths[] = {
    {"subdivisions", "0", "iso_code"},
    {"region_code"},
};
// Latitude and longitude: MaxMind and DB-IP; ip-location-db; IPinfo.
constexpr Path kPositionPaths[][2] = {
    {{"location", "latitude"}, {"location", "longitude"}},
    {{"latitude"}, {"longitude"}},
    {{"lat"}, {"lng"}},
};

struct Record {
  const MmdbData& data;
  std::size_t offset;
  std::optional<MmdbValue> at(const Path& path) const { return data.find(offset, path.path()); }
  // "" when there is no text.
  std::string_view text(const Path& path) const {
    const auto value = at(path);
    return value ? data.text_of(*value) : std::string_view();
  }
};

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

std::array<char, 2> country_in(const Record& record) {
  for (const Path& path : kCountryPaths) {
    const std::string_view text = record.text(path);
    if (text.size() != 2) continue;
    const std::array<char, 2> code = {lower(text[0]), lower(text[1])};
    const auto letter = [](char c) { return c >= 'a' && c <= 'z'; };
    if (letter(code[0]) && letter(code[1])) return code;
  }
  return {};
}

// "AS64500" or "64500"; 0 when it is neither.
std::uint32_t asn_of(std::string_view text) {
  if (text.size() > 2 && lower(text[0]) == 'a' && lower(text[1]) == 's') text.remove_prefix(2);
  std::uint64_t value = 0;
  for (const char c : text) {
    if (c < '0' || c > '9' || value > 0xffff'ffffU) return 0;
    value = value * 10 + static_cast<std::uint64_t>(c - '0');
  }
  return value > 0xffff'ffffU ? 0 : static_cast<std::uint32_t>(value);
}

std::uint32_t asn_in(const Record& record) {
  for (const Path& path : kAsnPaths) {
    const auto value = record.at(path);
    if (!value) continue;
    if (value->type == Type::kText) return asn_of(record.data.text_of(*value));
    const auto number = record.data.number_of(*value);
    if (number && *number <= 0xffff'ffffU) return static_cast<std::uint32_t>(*number);
  }
  return 0;
}

std::array<char, 3> region_in(const Record& record) {
  for (const Path& path : kRegionPaths) {
    const std::string_view text = record.text(path);
    std::array<char, 3> code{};
    if (text.empty() || text.size() > code.size()) continue;
    bool plain = true;
    for (std::size_t i = 0; i < text.size(); ++i) {
      code[i] = lower(text[i]);
      plain = plain && ((code[i] >= 'a' && code[i] <= 'z') || (code[i] >= '0' && code[i] <= '9'));
    }
    if (plain) return code;
  }
  return {};
}

// A number of degrees as doubles, floats or texts have it.
std::optional<double> degrees_in(const Record& record, const Path& path, double most) {
  const auto value = record.at(path);
  if (!value) return std::nullopt;
  std::optional<double> degrees = record.data.real_of(*value);
  if (value->type == Type::kText) {
    const std::string_view text = record.data.text_of(*value);
    const char* end = text.data() + text.size();
    const auto [at, error] = std::from_chars(text.data(), end, degrees.emplace());
    if (error != std::errc() || at != end) return std::nullopt;
  }
  return degrees && *degrees >= -most && *degrees <= most ? degrees : std::nullopt;
}

GeoRecord record_in(const Record& record) {
  GeoRecord out;
  out.country = country_in(record);
  out.asn = asn_in(record);
  out.region = region_in(record);
  for (const auto& paths : kPositionPaths) {
    const auto latitude = degrees_in(record, paths[0], 90);
    const auto longitude = degrees_in(record, paths[1], 180);
    if (!latitude || !longitude) continue;
    out.has_position = true;
    out.latitude = *latitude;
    out.longitude = *longitude;
    break;
  }
  return out;
}

Error corrupt(const std::string& path, std::string detail) {
  return {ErrorCode::kCorrupt, path, std::move(detail)};
}

// Beyond the largest that are published, whose tree and data have offsets of 32 bits.
constexpr std::size_t kMaxFile = std::size_t{2} << 30;

}  // namespace

Result<GeoDatabase> GeoDatabase::open(const std::string& path) {
  auto bytes = sys::read_file(path, kMaxFile);
  if (!bytes.ok()) {
    bytes.error().operation = path;
    return fail(std::move(bytes).error());
  }
  return parse(path, std::move(*bytes));
}

Result<GeoDatabase> GeoDatabase::parse(const std::string& name, std::string bytes) {
  auto file = MmdbFile::parse(std::move(bytes));
  if (!file.ok()) {
    return fail(corrupt(name, "not a MaxMind DB: " + std::string(describe(file.error()))));
  }
  return GeoDatabase(name, std::make_shared<const MmdbFile>(std::move(*file)));
}

GeoRecord GeoDatabase::lookup(const IpAddress& address) const {
  const int zeros = address.is_v4() ? file_->depth() - 32 : 0;
  if (zeros + address.bits() > file_->depth()) return {};
  Branch at{Branch::Kind::kNode, 0};
  for (int i = 0; i < file_->depth() && at.kind == Branch::Kind::kNode; ++i) {
    at = file_->branch(at.value, i >= zeros && address.bit(i - zeros));
  }
  return at.kind == Branch::Kind::kRecord ? record_in({file_->data(), at.value}) : GeoRecord();
}

// Depth first, left before right, so that networks come in the order of their addresses.
class GeoDatabase::Walker {
 public:
  Walker(const GeoDatabase& database, const Visitor& visit)
      : database_(database), file_(*database.file_), visit_(visit) {}

  Result<void> run() {
    if (file_.depth() == 32) return descend({0, 0, 0, 0}, IpFamily::kV4, 32);
    Branch start{Branch::Kind::kNode, 0};
    for (int i = 0; i < 96 && start.kind == Branch::Kind::kNode; ++i) {
      start = file_.branch(start.value, false);
    }
    if (start.kind == Branch::Kind::kNode) {
      v4_node_ = start.value;
      TRY(descend({start.value, 0, 0, 0}, IpFamily::kV4, 32));
    }
    return descend({0, 0, 0, 0}, IpFamily::kV6, 128);
  }

 private:
  struct Place {
    std::uint32_t node;
    int depth;
    std::uint64_t high;
    std::uint64_t low;
  };

  Result<void> descend(const Place& place, IpFamily family, int bits) {
    // A tree has no more edges than this; a damaged file may have loops.
    if (++visited_ > 4 * (std::uint64_t{file_.node_count()} + 64)) return damaged("search tree");
    if (place.depth >= bits) return damaged("search tree");
    Place left = place;
    ++left.depth;
    Place right = left;
    // Bit `depth` of an address of `bits` bits.
    const int shift = bits - right.depth;
    (shift >= 64 ? right.high : right.low) |= std::uint64_t{1} << (shift % 64);
    TRY(side(left, file_.branch(place.node, false), family, bits));
    return side(right, file_.branch(place.node, true), family, bits);
  }

  Result<void> side(Place place, const Branch& to, IpFamily family, int bits) {
    switch (to.kind) {
      case Branch::Kind::kNode:
        place.node = to.value;
        return is_alias(place, family) ? Result<void>() : descend(place, family, bits);
      case Branch::Kind::kRecord:
        return leaf(place, to.value, family);
      case Branch::Kind::kNothing:
        return {};
      case Branch::Kind::kDamaged:
        break;
    }
    return damaged("search tree");
  }

  // Within the IPv6 tree the IPv4 subtree, at its own place and wherever it is repeated.
  bool is_alias(const Place& place, IpFamily family) const {
    return family == IpFamily::kV6 && place.node == v4_node_;
  }

  Result<void> leaf(const Place& place, std::uint32_t offset, IpFamily family) {
    auto [at, added] = records_.try_emplace(offset);
    if (added) {
      if (!file_.data().is_sound(offset)) return damaged("record");
      at->second = record_in({file_.data(), offset});
    }
    visit_({family, place.high, place.low, place.depth}, at->second);
    return {};
  }

  Result<void> damaged(const char* what) const {
    return fail(corrupt(database_.path(), std::string("damaged ") + what));
  }

  const GeoDatabase& database_;
  const MmdbFile& file_;
  const Visitor& visit_;
  std::uint32_t v4_node_ = 0xffff'ffff;
  std::uint64_t visited_ = 0;
  std::unordered_map<std::uint32_t, GeoRecord> records_;  // by offset: few differ
};

Result<void> GeoDatabase::walk(const Visitor& visit) const {
  return Walker(*this, visit).run();
}

const std::string& GeoDatabase::type() const {
  return file_->type();
}

std::uint32_t GeoDatabase::node_count() const {
  return file_->node_count();
}

std::uint64_t GeoDatabase::build_epoch() const {
  return file_->build_epoch();
}

}  // namespace timepool::geo
