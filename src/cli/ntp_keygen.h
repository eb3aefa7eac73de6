// timepool ntp keygen: a line of a key file with a key that nobody can guess.
#pragma once

#include <optional>
#include <string>

#include "base/mac.h"
#include "base/result.h"

namespace timepool::cli {

// "10 AES128 HEX:...", of the system's randomness. Without `bits` as many as the type needs, or
// kDefaultKeyBits. Errors: kInvalid, when there are fewer than kMinKeyBits, more than a key file
// may have, not whole octets, or not those that the type needs.
Result<std::string> key_line(std::uint32_t id, MacType type, std::optional<int> bits);
// As chronyc keygen: SHA-1's length, and what chronyd takes for secure.
inline constexpr int kDefaultKeyBits = 160;
inline constexpr int kMinKeyBits = 80;

}  // namespace timepool::cli
