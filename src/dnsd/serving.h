// Serving: everything that answering a query needs. Immutable; workers read it through Published<>,
// a new one takes its place when zones, geography or settings change.
#pragma once

#include <memory>

#include "dns/compiled.h"
#include "dns/responder.h"

namespace timepool::dnsd {

struct Serving {
  std::shared_ptr<const dns::CompiledZones> zones;
  dns::ResponderSettings settings;
};

}  // namespace timepool::dnsd
