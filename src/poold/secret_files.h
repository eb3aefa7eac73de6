// The secrets that poold makes at its first start, each in a file that only its owner can read.
#pragma once

#include <string>

#include "base/result.h"
#include "crypto/ed25519.h"

namespace timepool::poold {

// The key that signs snapshots. Errors name [publish] key_file.
Result<crypto::SigningKey> load_or_create_key(const std::string& path);
// A token, 16 to 256 printable characters: that of the administration or of the name servers.
// Errors name `setting`, "[admin] token_file".
Result<std::string> load_or_create_token(const std::string& path, const std::string& setting);

}  // namespace timepool::poold
