// SockSample: the datagram by which gpsd and others tell chrony's SOCK driver the time.
//
//   struct sock_sample { struct timeval tv; double offset; int pulse, leap, _pad, magic; }
//
// tv: the system clock at the event; offset: the reference clock's time less that, in seconds.
#pragma once

#include <cstddef>
#include <cstdint>

#include "base/byte_reader.h"
#include "refclock/driver.h"

namespace timepool::refclock {

inline constexpr std::int32_t kSockMagic = 0x534f434b;  // "SOCK"
// With a timeval of two 64-bit numbers, and of two 32-bit ones (32-bit systems of old): the length
// tells which it is.
inline constexpr std::size_t kSockWideSize = 40;
inline constexpr std::size_t kSockNarrowSize = 32;

// Judges one datagram, of which no more than its own octets are given.
Look parse_sock_sample(Bytes datagram);

}  // namespace timepool::refclock
