// HMAC with SHA-256 or SHA-512 (RFC 2104, RFC 6234) as a Mac (base/mac.h), by libsodium.
#pragma once

#include <memory>

#include "base/byte_reader.h"
#include "base/mac.h"

namespace timepool::crypto {

enum class HmacHash : unsigned char { kSha256, kSha512 };

// A secret of any length; it is copied, and wiped with the Mac.
std::unique_ptr<const Mac> make_hmac(HmacHash hash, Bytes secret);

}  // namespace timepool::crypto
