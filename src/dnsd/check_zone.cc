#include "dnsd/check_zone.h"

#include <cstdio>

#include "dns/compiled.h"
#include "dns/zone.h"
#include "sys/file.h"

namespace timepool::dnsd {
namespace {

// "pool.example" of "/etc/zones/pool.example.json".
std::string origin_of(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  std::string name = slash == std::string::npos ? path : path.substr(slash + 1);
  if (name.ends_with(".json")) name.resize(name.size() - 5);
  return name;
}

bool check(const std::string& path) {
  const auto text = sys::read_file(path, dns::kMaxZoneText);
  if (!text.ok()) {
    std::fprintf(stderr, "%s\n", text.error().text().c_str());
    return false;
  }
  const auto zone = dns::load_zone(*text, origin_of(path), 1);
  if (!zone.ok()) {
    std::fprintf(stderr, "%s\n", format(zone.error(), path).c_str());
    return false;
  }
  for (const std::string& warning : zone->warnings) {
    std::printf("%s: warning: %s\n", path.c_str(), warning.c_str());
  }
  const dns::Zone* zones[] = {&zone.value()};
  dns::ClassCache cache;
  const auto compiled = dns::CompiledZones::compile(zones, dns::GeoTable(), cache);
  if (!compiled.ok()) {
    std::fprintf(stderr, "%s: %s\n", path.c_str(), compiled.error().c_str());
    return false;
  }
  std::printf("%s: ok: zone %s serial %u, %zu labels, %zu names\n", path.c_str(),
              format(zone->origin).c_str(), zone->serial, zone->labels.size(),
              (*compiled)->node_count());
  return true;
}

}  // namespace

int check_zone_files(const std::vector<std::string>& paths) {
  bool good = true;
  for (const std::string& path : paths) good = check(path) && good;
  return good ? 0 : 1;
}

}  // namespace timepool::dnsd
