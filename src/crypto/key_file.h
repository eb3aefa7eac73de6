// The file of a secret key: its 32-byte seed as 64 hexadecimal digits and a newline, mode 0600.
#pragma once

#include <string>

#include "base/result.h"
#include "crypto/ed25519.h"

namespace timepool::crypto {

// Errors: kNotFound; kDenied when the group or others may read or write it, or it is not a plain
// file; kCorrupt when it holds something else.
Result<SigningKey> load_signing_key(const std::string& path);
// Makes the file, durably; kExists when there is one: a key is never overwritten.
Result<SigningKey> create_signing_key(const std::string& path, const SigningKey::Seed& seed);

}  // namespace timepool::crypto
