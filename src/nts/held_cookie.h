// HeldCookie: a cookie as a client holds it, octets that only its server can read (RFC 8915 6).
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

#include "base/byte_reader.h"
#include "base/check.h"

namespace timepool::nts {

// Octets of the longest cookie that a client takes. Servers have 100 to about 200; with this one a
// request of 48 + 36 + 4 + 512 + 40 = 640 octets is far below the 1,280 that every path carries.
inline constexpr std::size_t kMaxHeldCookie = 512;
// RFC 8915 4.1.6: a server should send eight, and a client need not hold more.
inline constexpr std::size_t kMaxHeldCookies = 8;

class HeldCookie {
 public:
  HeldCookie() = default;
  // CHECKs 1 to kMaxHeldCookie octets.
  explicit HeldCookie(Bytes octets) : size_(static_cast<std::uint16_t>(octets.size())) {
    CHECK(!octets.empty() && octets.size() <= kMaxHeldCookie);
    std::copy(octets.begin(), octets.end(), octets_.begin());
  }
  static bool fits(std::size_t octets) { return octets > 0 && octets <= kMaxHeldCookie; }

  Bytes octets() const { return Bytes(octets_).first(size_); }
  friend bool operator==(const HeldCookie& a, const HeldCookie& b) {
    return std::equal(a.octets().begin(), a.octets().end(), b.octets().begin(), b.octets().end());
  }

 private:
  std::array<std::byte, kMaxHeldCookie> octets_{};
  std::uint16_t size_ = 0;
};

}  // namespace timepool::nts
