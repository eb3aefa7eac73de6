// Which socket of a port-sharing group (SO_REUSEPORT) gets a datagram: chosen by the prefix that it
// comes from, the /24 of IPv4 or the /48 of IPv6. So what one worker remembers about a client, and
// about its neighbours, no other worker needs to know.
#pragma once

#include "base/ip.h"
#include "base/result.h"

namespace timepool::sys {

inline constexpr int kSteeredBitsV4 = 24;
inline constexpr int kSteeredBitsV6 = 48;

// For the whole group that `socket` is a member of, all of `family` and bound by now. `count` is
// the size of the group, 1 to 64: members are numbered in the order in which they joined. Errors:
// the system's, where it does not have this (Linux 4.5).
Result<void> steer_by_source_prefix(int socket, IpFamily family, unsigned count);

}  // namespace timepool::sys
