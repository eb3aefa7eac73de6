// Any payload of a snapshot: zones that compile together or are refused with a reason, as their
// keeper would, or an error that names the snapshot.
#include <cstdint>
#include <string_view>
#include <vector>

#include "base/check.h"
#include "dns/compiled/compiled.h"
#include "dnsd/snapshot_zones.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace timepool;  // NOLINT: a test program of one file
  snapshot::Snapshot snapshot;
  snapshot.serial = 7;
  snapshot.payload.assign(reinterpret_cast<const char*>(data), size);
  const auto zones = dnsd::zones_of(snapshot);
  if (!zones.ok()) {
    CHECK(zones.error().text().find("snapshot 7") != std::string::npos);
    return 0;
  }
  std::vector<const dns::Zone*> all;
  for (const dnsd::LoadedZone& it : *zones) all.push_back(it.zone.get());
  dns::ClassCache cache;
  static_cast<void>(dns::CompiledZones::compile(all, dns::GeoTable(), cache));
  return 0;
}
