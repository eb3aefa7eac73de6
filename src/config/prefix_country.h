// A list of address blocks with the country that they are in, as a table of a configuration:
//
//   [geoip.overrides]
//   "192.0.2.0/24" = "de"
#pragma once

#include <string>
#include <vector>

#include "base/ip.h"
#include "config/codec.h"

namespace timepool::config {

struct PrefixCountry {
  Prefix prefix;
  std::string country;  // ISO 3166 alpha-2 in lower case
  auto operator<=>(const PrefixCountry&) const = default;
};

// A table of prefixes; a later file replaces the whole of it. At most `max` entries.
Codec<std::vector<PrefixCountry>> prefix_countries(std::size_t max = 65'536);

// The country of the longest prefix that holds `address`, or "".
std::string country_of(const std::vector<PrefixCountry>& overrides, const IpAddress& address);

}  // namespace timepool::config
