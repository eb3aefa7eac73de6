#include "base/mac.h"

#include <algorithm>
#include <array>
#include <utility>

namespace timepool {
namespace {

struct Traits {
  MacType type;
  std::string_view name;
  std::size_t digest;
  std::size_t key;
};

constexpr std::array<Traits, kMacTypeCount> kTraits{{{MacType::kMd5, "MD5", 16, 0},
                                                     {MacType::kSha1, "SHA1", 20, 0},
                                                     {MacType::kSha256, "SHA256", 32, 0},
                                                     {MacType::kSha384, "SHA384", 48, 0},
                                                     {MacType::kSha512, "SHA512", 64, 0},
                                                     {MacType::kAes128Cmac, "AES128", 16, 16},
                                                     {MacType::kAes256Cmac, "AES256", 16, 32}}};

// Without hyphens and in upper case; AES is AES-128 to NTPsec, M is MD5 to ntpd.
constexpr std::array<std::pair<std::string_view, MacType>, 5> kOtherNames{
    {{"M", MacType::kMd5},
     {"SHA", MacType::kSha1},
     {"AES", MacType::kAes128Cmac},
     {"AES128CMAC", MacType::kAes128Cmac},
     {"AES256CMAC", MacType::kAes256Cmac}}};
// No name is longer, with its hyphens ("AES-128-CMAC").
constexpr std::size_t kLongestName = 12;

const Traits& traits_of(MacType type) {
  return kTraits[static_cast<std::size_t>(type)];
}

}  // namespace

std::size_t digest_size(MacType type) {
  return traits_of(type).digest;
}

std::size_t key_size(MacType type) {
  return traits_of(type).key;
}

bool is_weak(MacType type) {
  return type == MacType::kMd5 || type == MacType::kSha1;
}

std::string_view name_of(MacType type) {
  return traits_of(type).name;
}

std::optional<MacType> parse_mac_type(std::string_view text) {
  if (text.size() > kLongestName) return std::nullopt;
  std::array<char, kLongestName> plain{};
  std::size_t size = 0;
  for (const char c : text) {
    if (c != '-') plain[size++] = c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  }
  const std::string_view name(plain.data(), size);
  for (const Traits& it : kTraits) {
    if (it.name == name) return it.type;
  }
  const auto other = std::find_if(kOtherNames.begin(), kOtherNames.end(),
                                  [&](const auto& it) { return it.first == name; });
  return other == kOtherNames.end() ? std::nullopt : std::optional(other->second);
}

}  // namespace timepool
