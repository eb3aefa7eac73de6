// Server cookies of DNS (RFC 7873) in the interoperable form of RFC 9018, version 1, and the
// secrets that they are made with.
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

// The secrets of three epochs, each `rotation` seconds long and counted from 1970. The time that a
// cookie names says which of them it was made with, so that a check takes one hash, and servers of
// the same secrets take each other's cookies over the change of an epoch although their clocks
// differ (RFC 9018 5).
struct CookieSecrets {
  // Longer than a cookie is good for, with what it may be ahead: three epochs are enough then.
  static constexpr std::uint32_t kMinRotation = 7200;

  std::uint32_t rotation = 86'400;
  std::uint32_t epoch = 0;           // of keys[1]
  std::array<SiphashKey, 3> keys{};  // of the epoch before, of this one, of the next

  // The secret of a moment (Unix seconds modulo 2^32); the nearest one that there is.
  const SiphashKey& at(std::uint32_t time) const;
};

// What a client shows of a cookie.
enum class CookieUse : std::uint8_t {
  kNone,    // it does not know of cookies
  kClient,  // only its own
  kBad,     // a server cookie that does not hold
  kGood,    // one that does: its address is not made up
};
struct CheckedCookie {
  CookieUse use = CookieUse::kNone;
  ServerCookie answer{};  // what it is to use from now on
};
// `server_cookie` may be empty. Sizes are those of wire::dns::Cookie.
CheckedCookie check_cookie(const CookieSecrets& secrets, Bytes client_cookie, Bytes server_cookie,
                           const IpAddress& client, std::uint32_t now);

}  // namespace timepool::dns
