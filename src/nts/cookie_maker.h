// CookieMaker: where the server of a key establishment gets cookies from (RFC 8915 4.1.6, 6). One
// object is one thread's; what it makes is opened by every server that has the same key ring.
#pragma once

#include <cstddef>

#include "base/byte_writer.h"
#include "nts/session_keys.h"

namespace timepool::nts {

// Octets of the longest cookie that we make; every one is a multiple of four octets.
inline constexpr std::size_t kMaxOwnCookie = 104;

class CookieMaker {
 public:
  virtual ~CookieMaker() = default;
  // Octets of each cookie that make() writes for keys of this algorithm.
  virtual std::size_t cookie_size(AeadId aead) const = 0;
  // Writes one new cookie, never the same twice. False, and nothing is written, when `out` lacks
  // the room or no key is there to seal it by.
  virtual bool make(const SessionKeys& keys, ByteWriter& out) = 0;
};

}  // namespace timepool::nts
