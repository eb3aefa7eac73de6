// The addresses of this machine's interfaces.
#pragma once

#include <vector>

#include "base/ip.h"
#include "base/result.h"

namespace timepool::sys {

// More are not told: a machine with as many is a router, and its first ones name it well enough.
inline constexpr std::size_t kMaxOwnAddresses = 256;

// IPv4 and IPv6, of interfaces that are up, loopback included; sorted, each once.
Result<std::vector<IpAddress>> own_addresses();

}  // namespace timepool::sys
