// How a logged query is written down: as a line of JSON, or as frames of dnstap.
#pragma once

#include <string>
#include <string_view>

#include "dnsd/query_ring.h"

namespace timepool::dnsd {

// {"time":..., "client":..., "port":..., "transport":..., "name":..., "type":..., "class":...,
// "subnet":..., "reason":..., "rcode":..., "scope":..., "answers":[...], "size":...} and a line's
// end. What the messages do not have is left out.
std::string json_line(const QueryRing::Kept& kept);

// dnstap (its schema dnstap.proto): an AUTH_QUERY, and an AUTH_RESPONSE where there was one, each a
// data frame of the frame streams protocol. Messages that were too long to keep are left out.
void append_dnstap(const QueryRing::Kept& kept, std::string_view identity, std::string& out);
// The control frames that a stream to a file begins and ends with.
std::string dnstap_start();
std::string dnstap_stop();

}  // namespace timepool::dnsd
