#include "dnsd/check_zone.h"

#include <cstdio>

#include "dns/compiled/compiled.h"
#include "dns/zone/zone.h"
#include "dnsd/zone_file.h"

namespace timepool::dnsd {
namespace {

bool check(const std::string& path) {
  const std::size_t slash = path.rfind('/');
  const bool bare = slash == std::string::npos;
  const auto read =
      read_zone_file(bare ? "." : path.substr(0, slash == 0 ? 1 : slash),
                     bare ? path : path.substr(slash + 1), 1, [](const std::string&) {});
  if (!read.ok()) {
    std::fprintf(stderr, "%s\n", read.error().text().c_str());
    return false;
  }
  const dns::Zone* zone = &read->zone;
  for (const std::string& warning : zone->warnings) {
    std::printf("%s: warning: %s\n", path.c_str(), warning.c_str());
  }
  const dns::Zone* zones[] = {zone};
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
