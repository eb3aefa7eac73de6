// Where servers are: the overrides of the configuration, then the MaxMind DB files in their order.
// Immutable once made; any thread.
#pragma once

#include <string>
#include <vector>

#include "config/poold.h"
#include "geo/database.h"

namespace timepool::poold {

class Geography {
 public:
  // Errors: those of geo::GeoDatabase::open, naming the setting.
  static Result<Geography> open(const config::PooldConfig::Geoip& config);

  // Two lower-case letters, or "" when nothing knows the address.
  std::string country_of(const IpAddress& address) const;
  // The autonomous system; 0 when no file knows it.
  std::uint32_t asn_of(const IpAddress& address) const;

 private:
  std::vector<config::PrefixCountry> overrides_;
  std::vector<geo::GeoDatabase> files_;
};

}  // namespace timepool::poold
