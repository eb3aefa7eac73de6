// Which addresses a datagram may come from so that it can be answered. What the system's own checks
// (martian sources) let through on some interface, or a driver's fast path before them, is dropped
// here.
#pragma once

#include "base/ip.h"

namespace timepool::ntp {

// Whether `address` can be one host's: not the unspecified address nor another of 0.0.0.0/8, not
// multicast, not the limited broadcast address, not an IPv4 address mapped into IPv6, which is
// never on the wire. Who is on which side of a subnet's broadcast address only its interfaces know;
// the sockets that replies leave by may not send to one.
bool is_one_host(const IpAddress& address);

}  // namespace timepool::ntp
