// CookieKeys: the keys that cookies are sealed by, at one moment: one for new cookies, those before
// it, and the one that comes next, since another server of the same seed may have begun with it
// already (RFC 8915 6). Immutable: any number of threads may read one. nts/key_chain.h makes them.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "base/byte_reader.h"
#include "base/static_vector.h"

namespace timepool::nts {

// Past keys that may be kept: at the shortest rotation, of ten minutes, some three hours.
inline constexpr std::size_t kMaxPastKeys = 16;
inline constexpr std::size_t kMaxCookieKeys = kMaxPastKeys + 2;
// AES-SIV-CMAC-256 seals all cookies.
inline constexpr std::size_t kCookieKeySize = 32;

struct CookieKey {
  std::uint32_t id = 0;  // a cookie begins with it; says nothing of the key's age
  std::array<std::byte, kCookieKeySize> secret{};

  friend bool operator==(const CookieKey&, const CookieKey&) = default;
};

struct CookieKeys {
  // Of one chain of a process, higher for what was made later; 0: none is there.
  std::uint64_t serial = 0;
  // The newest first: [0] comes next, [1] seals, the others have sealed.
  StaticVector<CookieKey, kMaxCookieKeys> keys;

  static constexpr std::size_t kNext = 0;
  static constexpr std::size_t kCurrent = 1;
  bool usable() const { return keys.size() > kCurrent; }
  // The place of a key; nothing when it is not there.
  std::optional<std::size_t> find(std::uint32_t id) const {
    for (std::size_t i = 0; i < keys.size(); ++i) {
      if (keys[i].id == id) return i;
    }
    return std::nullopt;
  }
};

}  // namespace timepool::nts
