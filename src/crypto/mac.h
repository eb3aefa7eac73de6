// The message authentication codes of NTP (base/mac.h), by nettle: the key schedule, or the state
// after the key, is made once; a packet takes neither an allocation nor a look-up of an algorithm.
#pragma once

#include <memory>

#include "base/mac.h"
#include "base/result.h"

namespace timepool::crypto {

// Errors: kInvalid when the secret is empty or not of the length that the type needs. The secret is
// copied, and wiped with the Mac.
Result<std::unique_ptr<const Mac>> make_mac(MacType type, Bytes secret);

}  // namespace timepool::crypto
