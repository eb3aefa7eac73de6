// The secrets that poold makes at its first start, each in a file that only its owner can read.
#pragma once

#include <string>

#include "base/result.h"
#include "crypto/ed25519.h"

namespace timepool::poold {

// The key that signs snapshots. Errors name [publish] key_file.
Result<crypto::SigningKey> load_or_create_key(const std::string& path);
// The token of the administration, 16 to 256 printable characters. Errors name [admin] token_file.
Result<std::string> load_or_create_token(const std::string& path);

}  // namespace timepool::poold
