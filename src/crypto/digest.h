// SHA-256, HMAC-SHA-256 and comparison in constant time, by libsodium: no allocation, no failure.
#pragma once

#include <array>
#include <cstddef>

#include "base/byte_reader.h"

namespace timepool::crypto {

using Sha256 = std::array<std::byte, 32>;

// FIPS 180-4.
Sha256 sha256(Bytes message);
// RFC 2104 with SHA-256; a key of any length.
Sha256 hmac_sha256(Bytes key, Bytes message);
// Compares without telling by its time where the two differ. Their lengths are no secret.
bool equal_constant_time(Bytes a, Bytes b);
// Overwrites a secret; the compiler may not leave it out.
void wipe(MutableBytes secret);

}  // namespace timepool::crypto
