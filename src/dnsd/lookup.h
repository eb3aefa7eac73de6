// The control command "lookup": what a client would be answered, and why: what is known of its
// address, the labels that the zone has for it from the most specific to the plain one, the records
// of the label that counts with their weights and chances, and one answer as it would be drawn now.
#pragma once

#include <boost/json/object.hpp>

#include "base/result.h"
#include "dnsd/zone_keeper.h"

namespace timepool::dnsd {

// {"name", "type"?, "address"}. Errors: kInvalid.
Result<boost::json::object> lookup_report(const ZoneKeeper& keeper,
                                          const boost::json::object& request);

}  // namespace timepool::dnsd
