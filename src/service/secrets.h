// Tokens and the digests that are kept of them.
#pragma once

#include <string>
#include <string_view>

namespace timepool::service {

// 256 random bits as hexadecimal digits.
std::string random_token();
// Hexadecimal digits, lower case.
std::string sha256_hex(std::string_view text);
// In a time that depends on the lengths only.
bool equal_secrets(std::string_view a, std::string_view b);

}  // namespace timepool::service
