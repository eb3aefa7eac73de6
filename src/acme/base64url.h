// base64url without padding (RFC 7515 2, RFC 4648 5), the alphabet of JWS and of ACME's tokens.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/byte_reader.h"

namespace timepool::acme {

std::string to_base64url(Bytes bytes);
std::string to_base64url(std::string_view text);
// Nothing when a character is none of the alphabet, padding included, or no whole octets result.
std::optional<std::vector<std::byte>> from_base64url(std::string_view text);
// Letters, digits, '-' and '_' only, and at least one.
bool is_base64url(std::string_view text);

}  // namespace timepool::acme
