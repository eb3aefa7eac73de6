// GeoDatabase: one MaxMind DB file (.mmdb), whoever made it: where an address is (country; of City
// databases the region and the position too) and which network it belongs to. The record's layout
// is found by trying the ones in use (MaxMind, DB-IP, IPinfo, ip-location-db). The file is read
// whole when it is opened, and not looked at again. Any thread.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "base/ip.h"
#include "base/result.h"

namespace timepool::geo {

class MmdbFile;

// What a database says of a network; a field that it does not say is zero.
struct GeoRecord {
  std::array<char, 2> country{};  // ISO 3166-1 alpha-2, lower case
  std::uint32_t asn = 0;          // autonomous system number
  std::array<char, 3> region{};   // ISO 3166-2 without the country, lower case: "ca", "mow"
  bool has_position = false;
  double latitude = 0;   // degrees north, -90 to 90
  double longitude = 0;  // degrees east, -180 to 180

  bool has_country() const { return country[0] != 0; }
  // "de" or "".
  std::string country_text() const {
    return has_country() ? std::string(country.data(), country.size()) : std::string();
  }
  // "ca" or "".
  std::string region_text() const {
    return std::string(region.data(), region[2] != 0 ? 3U : region[1] != 0 ? 2U : region[0] != 0);
  }
  bool operator==(const GeoRecord&) const = default;
};

// A network of the database, as the first address in host order (IPv4 in the low 32 bits).
struct GeoNetwork {
  IpFamily family = IpFamily::kV4;
  std::uint64_t high = 0;
  std::uint64_t low = 0;
  int length = 0;
};

class GeoDatabase {
 public:
  // Errors: kNotFound, kDenied, kSystem from the system, kCorrupt when it is no MaxMind DB.
  static Result<GeoDatabase> open(const std::string& path);
  // open() with the contents of the file; `name` is for messages.
  static Result<GeoDatabase> parse(const std::string& name, std::string bytes);

  GeoRecord lookup(const IpAddress& address) const;

  // Calls `visit` for every network that has a record, disjoint and in ascending order, IPv4 before
  // IPv6. IPv4 is visited once, though files repeat it in 6to4, Teredo and mapped space. Errors:
  // kCorrupt when the tree or a record is damaged.
  using Visitor = std::function<void(const GeoNetwork&, const GeoRecord&)>;
  Result<void> walk(const Visitor& visit) const;

  const std::string& path() const { return path_; }
  // The metadata's database_type, for example "GeoLite2-Country".
  const std::string& type() const;
  std::uint32_t node_count() const;
  // Unix seconds.
  std::uint64_t build_epoch() const;

 private:
  class Walker;
  GeoDatabase(std::string path, std::shared_ptr<const MmdbFile> file)
      : path_(std::move(path)), file_(std::move(file)) {}

  std::string path_;
  std::shared_ptr<const MmdbFile> file_;
};

}  // namespace timepool::geo
