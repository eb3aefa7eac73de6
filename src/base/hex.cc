#include "base/hex.h"

#include <array>
#include <cstdint>

namespace timepool {
namespace {

constexpr std::string_view kHexDigits = "0123456789abcdef";
constexpr std::string_view kBase64Digits =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

Error bad_text(std::string_view kind, std::string_view why) {
  return {ErrorCode::kInvalid, std::string(kind) + " text", std::string(why)};
}

}  // namespace

std::string to_hex(Bytes bytes) {
  std::string out;
  out.reserve(bytes.size() * 2);
  for (const std::byte b : bytes) {
    out += kHexDigits[std::to_integer<std::size_t>(b) >> 4];
    out += kHexDigits[std::to_integer<std::size_t>(b) & 15];
  }
  return out;
}

Result<std::vector<std::byte>> from_hex(std::string_view text) {
  if (text.size() % 2 != 0) return fail(bad_text("hexadecimal", "an odd count of digits"));
  std::vector<std::byte> out;
  out.reserve(text.size() / 2);
  for (std::size_t i = 0; i < text.size(); i += 2) {
    const int high = hex_value(text[i]);
    const int low = hex_value(text[i + 1]);
    if (high < 0 || low < 0) return fail(bad_text("hexadecimal", "not a hexadecimal digit"));
    out.push_back(static_cast<std::byte>(high << 4 | low));
  }
  return out;
}

std::string to_base64(Bytes bytes) {
  std::string out;
  out.reserve((bytes.size() + 2) / 3 * 4);
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    std::uint32_t group = 0;
    for (std::size_t j = 0; j < 3; ++j) {
      group =
          group << 8 | (i + j < bytes.size() ? std::to_integer<std::uint32_t>(bytes[i + j]) : 0);
    }
    for (std::size_t j = 0; j < 4; ++j) {
      const bool padding = i + j > bytes.size();
      out += padding ? '=' : kBase64Digits[group >> (18 - 6 * j) & 63];
    }
  }
  return out;
}

Result<std::vector<std::byte>> from_base64(std::string_view text) {
  if (text.size() % 4 != 0) return fail(bad_text("base64", "the length is no multiple of four"));
  std::vector<std::byte> out;
  out.reserve(text.size() / 4 * 3);
  for (std::size_t i = 0; i < text.size(); i += 4) {
    const bool last = i + 4 == text.size();
    std::size_t padding = 0;
    std::uint32_t group = 0;
    for (std::size_t j = 0; j < 4; ++j) {
      const char c = text[i + j];
      const std::size_t digit = kBase64Digits.find(c);
      if (c == '=' && last && j >= 2) {
        ++padding;
        group <<= 6;
      } else if (digit == std::string_view::npos || padding > 0) {
        return fail(bad_text("base64", "not a base64 digit"));
      } else {
        group = group << 6 | static_cast<std::uint32_t>(digit);
      }
    }
    const std::uint32_t unused = padding == 2 ? 0xffff : padding == 1 ? 0xff : 0;
    if ((group & unused) != 0) return fail(bad_text("base64", "unused bits are set"));
    for (std::size_t j = 0; j + padding < 3; ++j) {
      out.push_back(static_cast<std::byte>(group >> (16 - 8 * j) & 0xff));
    }
  }
  return out;
}

}  // namespace timepool
