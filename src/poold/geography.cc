#include "poold/geography.h"

namespace timepool::poold {

Result<Geography> Geography::open(const config::PooldConfig::Geoip& config) {
  Geography out;
  out.overrides_ = config.overrides;
  for (const std::string& path : config.files) {
    auto file = geo::GeoDatabase::open(path);
    if (!file.ok()) {
      Error error = std::move(file.error());
      error.operation = "[geoip] files: " + error.operation;
      return fail(std::move(error));
    }
    out.files_.push_back(std::move(*file));
  }
  return out;
}

std::string Geography::country_of(const IpAddress& address) const {
  std::string country = config::country_of(overrides_, address);
  for (const geo::GeoDatabase& file : files_) {
    if (!country.empty()) break;
    country = file.lookup(address).country_text();
  }
  return country;
}

}  // namespace timepool::poold
