// SHA-1 (FIPS 180-4): the check sum of leap-seconds.list. It protects against damage, not against
// people: nothing else uses it.
#pragma once

#include <array>
#include <cstdint>

#include "base/byte_reader.h"

namespace timepool {

// The five words of the digest.
using Sha1 = std::array<std::uint32_t, 5>;

Sha1 sha1(Bytes message);

}  // namespace timepool
