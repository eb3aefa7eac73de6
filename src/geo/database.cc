#include "geo/database.h"

#include <fmt/core.h>
#include <maxminddb.h>
#include <netinet/in.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstring>
#include <optional>
#include <unordered_map>

#include "sys/fd.h"
#include "sys/file.h"

namespace timepool::geo {
namespace {

// The layouts in use: MaxMind and DB-IP; ip-location-db; IPinfo's; what some converters write; and
// at last where the network is registered.
constexpr const char* kCountryPaths[][3] = {
    {"country", "iso_code", nullptr},
    {"country_code", nullptr, nullptr},
    {"country", "country_code", nullptr},
    {"country", nullptr, nullptr},
    {"registered_country", "iso_code", nullptr},
};
constexpr const char* kAsnPaths[][3] = {
    {"autonomous_system_number", nullptr, nullptr},
    {"asn", nullptr, nullptr},
    {"traits", "autonomous_system_number", nullptr},
};

// The first level of subdivisions, as geodns takes it.
constexpr const char* kRegionPaths[][4] = {
    {"subdivisions", "0", "iso_code", nullptr},
    {"region_code", nullptr, nullptr, nullptr},
};
// Latitude and longitude: MaxMind and DB-IP; ip-location-db; IPinfo.
constexpr const char* kPositionPaths[][2][3] = {
    {{"location", "latitude", nullptr}, {"location", "longitude", nullptr}},
    {{"latitude", nullptr, nullptr}, {"longitude", nullptr, nullptr}},
    {{"lat", nullptr, nullptr}, {"lng", nullptr, nullptr}},
};

bool field(MMDB_entry_s entry, const char* const* path, MMDB_entry_data_s& out) {
  return MMDB_aget_value(&entry, &out, path) == MMDB_SUCCESS && out.has_data;
}

std::array<char, 2> country_in(const MMDB_entry_s& entry) {
  for (const auto& path : kCountryPaths) {
    MMDB_entry_data_s data{};
    if (!field(entry, path, data) || data.type != MMDB_DATA_TYPE_UTF8_STRING) continue;
    if (data.data_size != 2) continue;
    std::array<char, 2> code{};
    bool letters = true;
    for (std::size_t i = 0; i < 2; ++i) {
      const char c = data.utf8_string[i];
      code[i] = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
      letters = letters && code[i] >= 'a' && code[i] <= 'z';
    }
    if (letters) return code;
  }
  return {};
}

// "AS64500" or "64500"; 0 when it is neither.
std::uint32_t asn_of(const char* text, std::size_t size) {
  if (size > 2 && (text[0] == 'A' || text[0] == 'a') && (text[1] == 'S' || text[1] == 's')) {
    text += 2;
    size -= 2;
  }
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < size; ++i) {
    if (text[i] < '0' || text[i] > '9' || value > 0xffff'ffffU) return 0;
    value = value * 10 + static_cast<std::uint64_t>(text[i] - '0');
  }
  return value > 0xffff'ffffU ? 0 : static_cast<std::uint32_t>(value);
}

std::uint32_t asn_in(const MMDB_entry_s& entry) {
  for (const auto& path : kAsnPaths) {
    MMDB_entry_data_s data{};
    if (!field(entry, path, data)) continue;
    switch (data.type) {
      case MMDB_DATA_TYPE_UINT32:
        return data.uint32;
      case MMDB_DATA_TYPE_UINT16:
        return data.uint16;
      case MMDB_DATA_TYPE_UINT64:
        if (data.uint64 <= 0xffff'ffffU) return static_cast<std::uint32_t>(data.uint64);
        break;
      case MMDB_DATA_TYPE_UTF8_STRING:
        return asn_of(data.utf8_string, data.data_size);
      default:
        break;
    }
  }
  return 0;
}

std::array<char, 3> region_in(const MMDB_entry_s& entry) {
  for (const auto& path : kRegionPaths) {
    MMDB_entry_data_s data{};
    if (!field(entry, path, data) || data.type != MMDB_DATA_TYPE_UTF8_STRING) continue;
    std::array<char, 3> code{};
    if (data.data_size == 0 || data.data_size > code.size()) continue;
    bool plain = true;
    for (std::size_t i = 0; i < data.data_size; ++i) {
      const char c = data.utf8_string[i];
      code[i] = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
      plain = plain && ((code[i] >= 'a' && code[i] <= 'z') || (code[i] >= '0' && code[i] <= '9'));
    }
    if (plain) return code;
  }
  return {};
}

// A number of degrees as doubles, floats or texts have it.
std::optional<double> degrees_in(const MMDB_entry_s& entry, const char* const* path, double most) {
  MMDB_entry_data_s data{};
  if (!field(entry, path, data)) return std::nullopt;
  double value = most + 1;
  if (data.type == MMDB_DATA_TYPE_DOUBLE) {
    value = data.double_value;
  } else if (data.type == MMDB_DATA_TYPE_FLOAT) {
    value = static_cast<double>(data.float_value);
  } else if (data.type == MMDB_DATA_TYPE_UTF8_STRING) {
    const char* end = data.utf8_string + data.data_size;
    const auto [at, error] = std::from_chars(data.utf8_string, end, value);
    if (error != std::errc() || at != end) return std::nullopt;
  }
  return value >= -most && value <= most ? std::optional(value) : std::nullopt;
}

GeoRecord record_in(const MMDB_entry_s& entry) {
  GeoRecord out;
  out.country = country_in(entry);
  out.asn = asn_in(entry);
  out.region = region_in(entry);
  for (const auto& paths : kPositionPaths) {
    const auto latitude = degrees_in(entry, paths[0], 90);
    const auto longitude = degrees_in(entry, paths[1], 180);
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

// A private copy of the file, as memory that libmaxminddb can map. It maps the file that it is
// given, and whoever writes that anew in place (cp, scp, rsync --inplace) would take the pages away
// from under a reader: SIGBUS.
Result<sys::Fd> copy_of(const std::string& path) {
  auto bytes = sys::read_file(path, kMaxFile);
  if (!bytes.ok()) {
    bytes.error().operation = path;
    return fail(std::move(bytes).error());
  }
  if (bytes->empty()) return fail(corrupt(path, "not a MaxMind DB: the file is empty"));
  sys::Fd copy(::memfd_create("geoip", MFD_CLOEXEC));
  if (!copy) return fail(system_error(errno, path + ": memory for it"));
  for (std::string_view rest = *bytes; !rest.empty();) {
    const ssize_t count = ::write(copy.number(), rest.data(), rest.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return fail(system_error(errno, path + ": memory for it"));
    rest.remove_prefix(static_cast<std::size_t>(count));
  }
  return copy;
}

}  // namespace

struct GeoDatabase::Handle {
  MMDB_s db{};
  bool opened = false;
  ~Handle() {
    if (opened) MMDB_close(&db);
  }
};

Result<GeoDatabase> GeoDatabase::open(const std::string& path) {
  const sys::Fd copy = TRY(copy_of(path));
  const std::string name = "/proc/self/fd/" + std::to_string(copy.number());
  auto handle = std::make_shared<Handle>();
  errno = 0;
  const int status = MMDB_open(name.c_str(), MMDB_MODE_MMAP, &handle->db);
  if (status != MMDB_SUCCESS) {
    const int error = errno;
    if ((status == MMDB_FILE_OPEN_ERROR || status == MMDB_IO_ERROR) && error != 0) {
      return fail(system_error(error, path));
    }
    return fail(corrupt(path, std::string("not a MaxMind DB: ") + MMDB_strerror(status)));
  }
  handle->opened = true;
  const int bits = handle->db.metadata.ip_version;
  if (bits != 4 && bits != 6) return fail(corrupt(path, "unknown IP version"));
  return GeoDatabase(path, std::move(handle));
}

GeoRecord GeoDatabase::lookup(const IpAddress& address) const {
  sockaddr_storage storage{};
  if (address.is_v4()) {
    auto* in = reinterpret_cast<sockaddr_in*>(&storage);
    in->sin_family = AF_INET;
    std::memcpy(&in->sin_addr, address.bytes().data(), 4);
  } else {
    auto* in = reinterpret_cast<sockaddr_in6*>(&storage);
    in->sin6_family = AF_INET6;
    std::memcpy(&in->sin6_addr, address.bytes().data(), 16);
  }
  int error = 0;
  MMDB_lookup_result_s found =
      MMDB_lookup_sockaddr(&handle_->db, reinterpret_cast<const sockaddr*>(&storage), &error);
  if (error != MMDB_SUCCESS || !found.found_entry) return {};
  return record_in(found.entry);
}

// Depth first, left before right, so that networks come in the order of their addresses.
class GeoDatabase::Walker {
 public:
  Walker(const GeoDatabase& database, const Visitor& visit)
      : database_(database), db_(database.handle_->db), visit_(visit) {}

  Result<void> run() {
    if (db_.metadata.ip_version == 4) return descend({0, 0, 0, 0}, IpFamily::kV4, 32);
    const auto start = db_.ipv4_start_node;
    if (start.node_value < db_.metadata.node_count) {
      v4_node_ = start.node_value;
      TRY(descend({start.node_value, 0, 0, 0}, IpFamily::kV4, 32));
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
    if (++visited_ > 4 * (std::uint64_t{db_.metadata.node_count} + 64)) return damaged();
    MMDB_search_node_s node{};
    if (place.depth >= bits || MMDB_read_node(&db_, place.node, &node) != MMDB_SUCCESS) {
      return damaged();
    }
    Place left = place;
    ++left.depth;
    Place right = left;
    // Bit `depth` of an address of `bits` bits.
    const int shift = bits - right.depth;
    (shift >= 64 ? right.high : right.low) |= std::uint64_t{1} << (shift % 64);
    left.node = static_cast<std::uint32_t>(node.left_record);
    right.node = static_cast<std::uint32_t>(node.right_record);
    TRY(side(left, node.left_record_type, node.left_record_entry, family, bits));
    return side(right, node.right_record_type, node.right_record_entry, family, bits);
  }

  Result<void> side(const Place& place, std::uint8_t type, const MMDB_entry_s& entry,
                    IpFamily family, int bits) {
    if (type != MMDB_RECORD_TYPE_SEARCH_NODE) return leaf(place, type, entry, family);
    return is_alias(place, family) ? Result<void>() : descend(place, family, bits);
  }

  // Within the IPv6 tree the IPv4 subtree, at its own place and wherever it is repeated.
  bool is_alias(const Place& place, IpFamily family) const {
    return family == IpFamily::kV6 && place.node == v4_node_;
  }

  Result<void> leaf(const Place& place, std::uint8_t type, const MMDB_entry_s& entry,
                    IpFamily family) {
    if (type == MMDB_RECORD_TYPE_EMPTY) return {};
    if (type != MMDB_RECORD_TYPE_DATA) return damaged();
    auto [at, added] = records_.try_emplace(entry.offset);
    if (added) at->second = record_in(entry);
    visit_({family, place.high, place.low, place.depth}, at->second);
    return {};
  }

  Result<void> damaged() const { return fail(corrupt(database_.path(), "damaged search tree")); }

  const GeoDatabase& database_;
  const MMDB_s& db_;
  const Visitor& visit_;
  std::uint32_t v4_node_ = 0xffff'ffff;
  std::uint64_t visited_ = 0;
  std::unordered_map<std::uint32_t, GeoRecord> records_;  // by offset: few differ
};

Result<void> GeoDatabase::walk(const Visitor& visit) const {
  return Walker(*this, visit).run();
}

std::string GeoDatabase::type() const {
  const char* type = handle_->db.metadata.database_type;
  return type == nullptr ? "" : type;
}

std::uint32_t GeoDatabase::node_count() const {
  return handle_->db.metadata.node_count;
}

std::uint64_t GeoDatabase::build_epoch() const {
  return handle_->db.metadata.build_epoch;
}

}  // namespace timepool::geo
