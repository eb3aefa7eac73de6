// Hexadecimal and base64 text of bytes.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/byte_reader.h"
#include "base/result.h"

namespace timepool {

// Lower case, two digits a byte.
std::string to_hex(Bytes bytes);
// Either case, no separators; an odd count or another character is kInvalid.
Result<std::vector<std::byte>> from_hex(std::string_view text);
// RFC 4648 4, with padding.
std::string to_base64(Bytes bytes);
// RFC 4648 4: padding required, no other characters.
Result<std::vector<std::byte>> from_base64(std::string_view text);

}  // namespace timepool
