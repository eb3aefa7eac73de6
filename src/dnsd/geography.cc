#include "dnsd/geography.h"

#include "geo/database.h"

namespace timepool::dnsd {
namespace {

// The runs of one family from networks that come disjoint and in ascending order.
template <class Key>
class Collector {
 public:
  Collector() { append(0, {}); }
  void add(Key base, int length, const geo::GeoRecord& record) {
    append(base, record);
    const Key last = PrefixValue<Key>{base, length, 0}.last();
    // What lies behind it is unknown until the next network says otherwise.
    if (last != static_cast<Key>(~Key{0})) append(static_cast<Key>(last + 1), {});
  }
  struct All {
    Runs<Key> country;
    Runs<Key> asn;
    Runs<Key> region;
    Runs<Key> position;
  };
  All finish() && {
    return {std::move(country_).finish(), std::move(asn_).finish(), std::move(region_).finish(),
            std::move(position_).finish()};
  }

 private:
  void append(Key from, const geo::GeoRecord& record) {
    const std::string_view text(record.country.data(), record.country.size());
    const auto country = dns::CountryCode::from_text(text);
    country_.append(from, country.bits());
    asn_.append(from, record.asn);
    region_.append(from, dns::RegionCode::from_parts(country, record.region_text()).bits());
    const auto position = record.has_position
                              ? dns::GeoPosition::from_degrees(record.latitude, record.longitude)
                              : dns::GeoPosition();
    position_.append(from, position.bits());
  }

  typename Runs<Key>::Builder country_;
  typename Runs<Key>::Builder asn_;
  typename Runs<Key>::Builder region_;
  typename Runs<Key>::Builder position_;
};

Error with_setting(Error error) {
  error.operation = "[geoip] files: " + error.operation;
  return error;
}

Result<dns::GeoTable> read_file(const std::string& path, GeoFile& info) {
  const auto opened = geo::GeoDatabase::open(path);
  if (!opened.ok()) return fail(with_setting(opened.error()));
  Collector<V4Key> v4;
  Collector<V6Key> v6;
  const auto walked =
      opened->walk([&](const geo::GeoNetwork& network, const geo::GeoRecord& record) {
        ++info.networks;
        if (network.family == IpFamily::kV4) {
          v4.add(static_cast<V4Key>(network.low), network.length, record);
        } else {
          v6.add(static_cast<V6Key>(network.high) << 64 | network.low, network.length, record);
        }
      });
  if (!walked.ok()) return fail(with_setting(walked.error()));
  info.path = path;
  info.type = opened->type();
  info.build_epoch = opened->build_epoch();
  auto all4 = std::move(v4).finish();
  auto all6 = std::move(v6).finish();
  return dns::GeoTable{std::move(all4.country),  std::move(all6.country), std::move(all4.asn),
                       std::move(all6.asn),      std::move(all4.region),  std::move(all6.region),
                       std::move(all4.position), std::move(all6.position)};
}

dns::GeoTable first_that_knows(const dns::GeoTable& first, const dns::GeoTable& second) {
  const auto merge = [](auto values) { return values[0] != 0 ? values[0] : values[1]; };
  return {combine(merge, first.country4, second.country4),
          combine(merge, first.country6, second.country6),
          combine(merge, first.asn4, second.asn4),
          combine(merge, first.asn6, second.asn6),
          combine(merge, first.region4, second.region4),
          combine(merge, first.region6, second.region6),
          combine(merge, first.position4, second.position4),
          combine(merge, first.position6, second.position6)};
}

}  // namespace

Result<Geography> load_geography(const config::DnsdGeoipConfig& config) {
  Geography out;
  for (std::size_t i = 0; i < config.files.size(); ++i) {
    GeoFile info;
    dns::GeoTable table = TRY(read_file(config.files[i], info));
    out.table = i == 0 ? std::move(table) : first_that_knows(out.table, table);
    out.files.push_back(std::move(info));
  }
  std::vector<dns::GeoOverride> overrides;
  for (const auto& entry : config.overrides) {
    overrides.push_back({entry.prefix, dns::CountryCode::from_text(entry.country), 0});
  }
  for (const auto& entry : config.asn_overrides) {
    overrides.push_back({entry.prefix, {}, entry.asn});
  }
  if (!overrides.empty()) out.table = with_overrides(out.table, overrides);
  return out;
}

}  // namespace timepool::dnsd
