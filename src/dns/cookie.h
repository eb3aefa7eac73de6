// Server cookies of DNS (RFC 7873) in the interoperable form of RFC 9018, version 1.
#pragma once

#include <array>
#include <cstdint>

#include "base/byte_reader.h"
#include "base/ip.h"
#include "base/siphash.h"

namespace timepool::dns {

using ServerCookie = std::array<std::byte, 16>;

// RFC 9018 4: version 1, three zero bytes, `now` (Unix seconds modulo 2^32), and the hash over the
// client's cookie (8 bytes, CHECKed), those fields and the client's address.
ServerCookie make_server_cookie(const SiphashKey& secret, Bytes client_cookie,
                                const IpAddress& client, std::uint32_t now);

enum class CookieState : std::uint8_t {
  kFresh,    // made with this secret in the last half hour
  kOld,      // made with it up to an hour ago: good, but to be renewed
  kInvalid,  // not ours, or too old, or from the future
};
CookieState check_server_cookie(const SiphashKey& secret, Bytes client_cookie, Bytes server_cookie,
                                const IpAddress& client, std::uint32_t now);

}  // namespace timepool::dns
