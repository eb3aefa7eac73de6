// The secrets of DNS cookies from a seed: servers of the same seed and rotation have the same ones
// without ever talking, also over restarts.
//
//   secret of an epoch   the first 16 octets of HMAC-SHA-256(seed, "timepool dns cookie secret" and
//                        the epoch's number since 1970, 8 octets big endian)
//
// There is no ratchet (nts/key_chain.h has one): a cookie protects nothing of the past. Whoever has
// the seed can make cookies until it is replaced, whatever was written to disk.
#pragma once

#include <array>
#include <string>

#include "base/duration.h"
#include "base/result.h"
#include "base/time.h"
#include "dns/cookie.h"

namespace timepool::dnsd {

using CookieSeed = std::array<std::byte, 32>;

// From a file of 64 hexadecimal digits and at most a line's end. Errors: those of
// sys::read_secret_file, and kInvalid.
Result<CookieSeed> read_cookie_seed(const std::string& path);
CookieSeed random_cookie_seed();

// The secrets at `now`. `rotation` is whole seconds, at least CookieSecrets::kMinRotation
// (CHECKed).
dns::CookieSecrets cookie_secrets(const CookieSeed& seed, Duration rotation, UnixTime now);

}  // namespace timepool::dnsd
