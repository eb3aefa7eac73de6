#include "poold/geography.h"

namespace timepool::poold {

Result<Geography> Geography::open(const config::PooldConfig::Geoip& config) {
  Geography out;
  out.overrides_ = config.overrides;
  for (const std::string& path : config.files) {
    auto file = geo::GeoDatabase::open(path);
    // A damaged tree would leave servers without a country, and nobody told.
    const Result<void> whole =
        file.ok() ? file->walk([](const geo::GeoNetwork&, const geo::GeoRecord&) {})
                  : Result<void>(fail(file.error()));
    if (!whole.ok()) {
      Error error = whole.error();
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

std::uint32_t Geography::asn_of(const IpAddress& address) const {
  for (const geo::GeoDatabase& file : files_) {
    if (const std::uint32_t asn = file.lookup(address).asn; asn != 0) return asn;
  }
  return 0;
}

}  // namespace timepool::poold
