// Ports that are free on this machine, for the programs of `timepool up`.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/ip.h"
#include "base/result.h"

namespace timepool::up {

enum class Transport : std::uint8_t { kTcp, kUdp, kBoth };

// `wanted` itself when all of `addresses` have that port free, or, when it is 0, a port that they
// do. Errors: kUnavailable, which names `option` and says what to do; what the system says of an
// address that isn't there.
Result<std::uint16_t> free_port(const std::vector<IpAddress>& addresses, std::uint16_t wanted,
                                Transport transport, const std::string& option);

// Whether ::1 can be bound.
bool has_ipv6_loopback();

}  // namespace timepool::up
