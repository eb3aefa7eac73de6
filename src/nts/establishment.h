// Establishment: what a key establishment gives a client (RFC 8915 4): keys, the first cookies, and
// whom to ask.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/byte_reader.h"
#include "nts/session_keys.h"

namespace timepool::nts {

// RFC 8915 5.7: so many are kept, asked for and taken.
inline constexpr std::size_t kMaxCookies = 8;
// A longer one would not fit a request of 1,232 octets of UDP beside the other fields: 48 (header),
// 36 (unique identifier), 4 (the field's own header), 40 (authenticator).
inline constexpr std::size_t kMaxCookieSize = 1104;

// What only its server reads; of any length from 1 to kMaxCookieSize (KEC10).
using Cookie = std::vector<std::byte>;

struct Establishment {
  SessionKeys keys;
  // Servers that don't say (by a record 1024) where the keys of AES-128-GCM-SIV come from may be
  // chrony 4.4 to 4.6, which names another algorithm to the exporter than RFC 8915 5.1 demands.
  // Then `keys` are chrony's and these are the RFC's: to be used, with the same cookies, when the
  // first request is refused.
  std::optional<SessionKeys> other_keys;
  std::vector<Cookie> cookies;  // 1 to kMaxCookies
  // An address literal or a name without the final dot; empty: the address that the key
  // establishment itself was made with (KEC5).
  std::string server;
  std::uint16_t port = 123;
};

}  // namespace timepool::nts
