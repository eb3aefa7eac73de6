// Any text as a zone document: a zone that compiles and answers, or an error with a place within
// the text.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/check.h"
#include "dns/compiled/compiled.h"
#include "dns/compiled/explain.h"
#include "dns/zone/zone.h"

namespace {

using namespace timepool;  // NOLINT: a test program of one file

dns::GeoTable two_countries() {
  const dns::GeoOverride items[] = {
      {parse_prefix("198.18.0.0/16").value(), dns::CountryCode::from_text("de"), 64500},
      {parse_prefix("2001:db8::/32").value(), dns::CountryCode::from_text("us"), 0}};
  return dns::with_overrides(dns::GeoTable(), items);
}

template <class Key>
Runs<Key> positions(std::initializer_list<std::pair<const char*, dns::GeoPosition>> prefixes) {
  std::vector<PrefixValue<Key>> values;
  for (const auto& [text, position] : prefixes) {
    const Prefix prefix = parse_prefix(text).value();
    values.push_back({key_of<Key>(prefix.base()), prefix.length(), position.bits()});
  }
  return Runs<Key>::flatten(values);
}

// Where clients and some servers are: for labels that ask for the closest addresses.
dns::GeoTable with_positions(dns::GeoTable table) {
  const auto berlin = dns::GeoPosition::from_degrees(52.5, 13.4);
  const auto sydney = dns::GeoPosition::from_degrees(-33.9, 151.2);
  const auto pole = dns::GeoPosition::from_degrees(90, -180);
  table.position4 = positions<V4Key>(
      {{"198.18.0.0/16", berlin}, {"192.0.2.0/25", sydney}, {"192.0.2.128/25", pole}});
  table.position6 = positions<V6Key>({{"2001:db8::/33", sydney}, {"2001:db8:8000::/33", berlin}});
  return table;
}

void use(const dns::Zone& zone) {
  static const dns::GeoTable geo = with_positions(two_countries());
  const dns::Zone* zones[] = {&zone};
  dns::ClassCache cache;
  const auto compiled = dns::CompiledZones::compile(zones, geo, cache);
  if (!compiled.ok()) return;
  for (const dns::Label& label : zone.labels) {
    CHECK(zone.find(label.name) == &label);
    if (label.name.find('[') != std::string::npos) continue;
    const auto name = label.name.empty()
                          ? Result<wire::dns::DnsName, wire::dns::Malformed>(zone.origin)
                          : wire::dns::DnsName::from_text(label.name, zone.origin);
    CHECK(name.ok());
    for (const char* client : {"198.18.0.1", "2001:db8::1", "100.64.0.1"}) {
      const auto found =
          dns::explain(**compiled, name.value(), wire::dns::RrType::kA, parse_ip(client).value());
      CHECK(found.in_zone && found.taken <= found.records);
    }
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto zone = dns::load_zone(text, "pool.test", 1);
  if (zone.ok()) {
    use(zone.value());
    return 0;
  }
  CHECK(zone.error().place.line >= 1 && zone.error().place.column >= 1);
  CHECK(zone.error().place.line <= size + 1 && zone.error().place.column <= size + 1);
  CHECK(!zone.error().text.empty());
  return 0;
}
