#include "acme/base64url.h"

#include <algorithm>
#include <array>
#include <span>

namespace timepool::acme {
namespace {

constexpr std::string_view kAlphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

}  // namespace

std::string to_base64url(Bytes bytes) {
  std::string out;
  out.reserve((bytes.size() * 4 + 2) / 3);
  unsigned held = 0;
  unsigned bits = 0;
  for (const std::byte byte : bytes) {
    held = (held << 8 | std::to_integer<unsigned>(byte)) & 0xffff;
    bits += 8;
    while (bits >= 6) {
      bits -= 6;
      out += kAlphabet[held >> bits & 63];
    }
  }
  if (bits > 0) out += kAlphabet[held << (6 - bits) & 63];
  return out;
}

std::string to_base64url(std::string_view text) {
  return to_base64url(std::as_bytes(std::span(text.data(), text.size())));
}

std::optional<std::vector<std::byte>> from_base64url(std::string_view text) {
  if (text.size() % 4 == 1) return std::nullopt;
  std::vector<std::byte> out;
  out.reserve(text.size() * 3 / 4);
  unsigned held = 0;
  unsigned bits = 0;
  for (const char c : text) {
    const std::size_t value = kAlphabet.find(c);
    if (value == std::string_view::npos) return std::nullopt;
    held = (held << 6 | static_cast<unsigned>(value)) & 0xffff;
    bits += 6;
    if (bits < 8) continue;
    bits -= 8;
    out.push_back(static_cast<std::byte>(held >> bits & 0xff));
  }
  // What is over must be zero: one text for one value.
  if ((held & ((1U << bits) - 1)) != 0) return std::nullopt;
  return out;
}

bool is_base64url(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return kAlphabet.find(c) != std::string_view::npos;
  });
}

}  // namespace timepool::acme
