// What the server and the client call a datagram that is no NTP packet: their reasons have the
// errors of parse_packet() in its order.
#pragma once

#include <cstdint>

#include "wire/ntp/packet.h"

namespace timepool::ntp {

// `R` is Reason or ReplyReason.
template <class R>
constexpr R packet_reason(wire::ntp::PacketError error) {
  using wire::ntp::PacketError;
  constexpr auto named = [](PacketError it) {
    return static_cast<R>(static_cast<std::uint8_t>(R::kTooShort) + static_cast<std::uint8_t>(it));
  };
  static_assert(named(PacketError::kTooShort) == R::kTooShort);
  static_assert(named(PacketError::kBadLength) == R::kBadLength);
  static_assert(named(PacketError::kBadVersion) == R::kBadVersion);
  static_assert(named(PacketError::kBadField) == R::kBadField);
  static_assert(named(PacketError::kTooManyFields) == R::kTooManyFields);
  static_assert(named(PacketError::kBadMac) == R::kBadMac);
  return named(error);
}

}  // namespace timepool::ntp
