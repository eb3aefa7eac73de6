// For tests and fuzz targets of what carries queries: a server that has no zone, and so refuses
// each query.
#pragma once

#include <memory>

#include "dnsd/serving.h"

namespace timepool::dnsd::testing {

inline std::unique_ptr<const Serving> nothing_served() {
  dns::ClassCache cache;
  auto out = std::make_unique<Serving>();
  out->zones = dns::CompiledZones::compile({}, dns::GeoTable(), cache).value();
  out->guard = std::make_shared<Guard>();
  out->tally = std::make_shared<Tally>(out->zones, 1);
  out->countries = std::make_shared<const CountryTable>(dns::GeoTable());
  return out;
}

}  // namespace timepool::dnsd::testing
