// The zones of a snapshot's payload: {"format": 1, "serial": N, "zones": {"pool.example": {geodns
// zone document}, ...}}.
#pragma once

#include <string_view>
#include <vector>

#include "base/result.h"
#include "dnsd/zone_directory.h"
#include "snapshot/seal.h"

namespace timepool::dnsd {

// All of them or none. Errors: kInvalid, with the zone and the place in its document.
Result<std::vector<LoadedZone>> zones_of(const snapshot::Snapshot& snapshot);

}  // namespace timepool::dnsd
