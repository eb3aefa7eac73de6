// A DNS question to one server by UDP, as a client asks it: for what `timepool up` shows and
// counts.
#pragma once

#include <string>
#include <vector>

#include "base/duration.h"
#include "base/ip.h"
#include "base/result.h"
#include "wire/dns/constants.h"

namespace timepool::up {

// The addresses in the answer, in its order; none for NODATA and NXDOMAIN. Errors: no answer in
// time, another code, a malformed answer.
Result<std::vector<IpAddress>> ask_dns(const Endpoint& server, const std::string& name,
                                       wire::dns::RrType type, Duration timeout);

// How many records of the type are in the answer, in one packet. Errors: the same.
Result<std::size_t> count_records(const Endpoint& server, const std::string& name,
                                  wire::dns::RrType type, Duration timeout);

}  // namespace timepool::up
