// The geographic data of timepool-dnsd: MaxMind DB files and the operator's overrides, walked once
// into a table that classes of clients are made from.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "config/dnsd.h"
#include "dns/compiled/client_class.h"

namespace timepool::dnsd {

struct GeoFile {
  std::string path;
  std::string type;
  std::uint64_t build_epoch = 0;  // Unix seconds
  std::size_t networks = 0;
};

struct Geography {
  dns::GeoTable table;
  std::vector<GeoFile> files;
};

// Errors: those of geo::GeoDatabase, naming [geoip] files.
Result<Geography> load_geography(const config::DnsdGeoipConfig& config);

}  // namespace timepool::dnsd
