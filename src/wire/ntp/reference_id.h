// ReferenceId: the four octets that name what a server is synchronised to (RFC 5905 7.3), or, in a
// packet of stratum 0, the kiss code (7.4).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/ip.h"

namespace timepool::wire::ntp {

class ReferenceId {
 public:
  constexpr ReferenceId() = default;
  static constexpr ReferenceId from_bits(std::uint32_t bits) { return ReferenceId(bits); }
  // Up to four ASCII characters, left justified and zero padded ("GPS"); more are cut off.
  static constexpr ReferenceId from_text(std::string_view text) {
    std::uint32_t bits = 0;
    for (std::size_t i = 0; i < 4; ++i) {
      const auto c = i < text.size() ? static_cast<unsigned char>(text[i]) : 0u;
      bits = bits << 8 | static_cast<std::uint32_t>(c);
    }
    return ReferenceId(bits);
  }
  // RFC 5905 7.3: what a server of stratum 2 and above calls the one that it follows: the IPv4
  // address, or the first four octets of the MD5 digest of the IPv6 address.
  static ReferenceId of_address(const IpAddress& address);
  constexpr std::uint32_t bits() const { return bits_; }
  constexpr bool operator==(const ReferenceId&) const = default;

 private:
  constexpr explicit ReferenceId(std::uint32_t bits) : bits_(bits) {}
  std::uint32_t bits_ = 0;
};

// "GPS", "RATE": the printable characters up to the first zero; empty when there are none or when
// one is not printable.
std::string text_of(ReferenceId id);
// What people read: text at stratum 0 and 1 where it is text, a dotted quad above, else 8 hex
// digits.
std::string format(ReferenceId id, std::uint8_t stratum);

// RFC 5905 figure 13 and RFC 8915 5.7: the codes that a client acts on; every other one is kOther.
enum class KissCode : std::uint8_t { kNone, kRate, kDeny, kRstr, kNtsn, kOther };

inline constexpr ReferenceId kKissRate = ReferenceId::from_text("RATE");
inline constexpr ReferenceId kKissDeny = ReferenceId::from_text("DENY");
inline constexpr ReferenceId kKissRstr = ReferenceId::from_text("RSTR");
inline constexpr ReferenceId kKissNtsn = ReferenceId::from_text("NTSN");

// kNone unless the stratum is 0. A stratum of 0 whose reference id is not four or fewer upper case
// letters or digits is an unsynchronised server, not a kiss: kNone as well.
KissCode kiss_code(std::uint8_t stratum, ReferenceId id);
// "RATE", "DENY", "RSTR", "NTSN", "other", "none".
std::string_view name_of(KissCode code);

}  // namespace timepool::wire::ntp
