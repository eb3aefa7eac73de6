// Serving: everything that answering a query needs. Immutable; workers read it through Published<>,
// a new one takes its place when zones, geography or settings change.
#pragma once

#include <memory>

#include "dns/compiled/compiled.h"
#include "dns/rate_limit.h"
#include "dns/responder.h"
#include "dns/signed/signed_zones.h"
#include "dnsd/country_table.h"
#include "dnsd/tally.h"
#include "dnsd/transfers.h"

namespace timepool::dnsd {

// What clients get instead of an answer, by UDP and without a good cookie.
struct Guard {
  dns::ResponseLimits limits;
  bool requires_cookies = false;  // of those who know of them
};

struct Serving {
  std::shared_ptr<const dns::CompiledZones> zones;
  dns::ResponderSettings settings;
  std::shared_ptr<const Guard> guard;
  // Where what is answered from `zones` is counted, a lane for each thread that answers.
  std::shared_ptr<Tally> tally;
  std::shared_ptr<const CountryTable> countries;
  std::shared_ptr<const dns::SignedZones> signed_zones{};  // of `zones`; null: nothing is signed
  std::shared_ptr<const Transfers> transfers{};  // null: no keys, and nothing may be copied
};

}  // namespace timepool::dnsd
