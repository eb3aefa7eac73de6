// IP addresses, prefixes and endpoints as values: compared, hashed, parsed and printed without the
// system's help. IPv4 is held in the first four bytes; a mapped address (::ffff:a.b.c.d) is a
// different value until unmapped() is called.
#pragma once

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "base/byte_reader.h"
#include "base/result.h"

namespace timepool {

enum class IpFamily : std::uint8_t { kV4 = 4, kV6 = 6 };

class IpAddress {
 public:
  // 0.0.0.0
  constexpr IpAddress() = default;
  static constexpr IpAddress v4(std::uint32_t host_order) {
    IpAddress out;
    for (std::size_t i = 0; i < 4; ++i) {
      out.bytes_[i] = static_cast<std::byte>(host_order >> (24 - 8 * i));
    }
    return out;
  }
  // `bytes` in network order: 4 of them or 16; CHECKs the count.
  static IpAddress from_bytes(Bytes bytes);
  static IpAddress any(IpFamily family);

  IpFamily family() const { return family_; }
  bool is_v4() const { return family_ == IpFamily::kV4; }
  // 32 or 128.
  int bits() const { return is_v4() ? 32 : 128; }
  // Network order, 4 or 16 bytes.
  Bytes bytes() const { return Bytes(bytes_).first(is_v4() ? 4 : 16); }
  // The IPv4 address in host order; CHECKs is_v4().
  std::uint32_t v4_bits() const;
  // Bit 0 is the most significant.
  bool bit(int index) const {
    return (std::to_integer<unsigned>(bytes_[static_cast<std::size_t>(index / 8)]) >>
                (7 - index % 8) &
            1) != 0;
  }

  // The IPv4 address inside ::ffff:0:0/96, else itself.
  IpAddress unmapped() const;
  bool is_unspecified() const;
  bool is_loopback() const;
  // Not private, loopback, link local, multicast, documentation or otherwise special
  // (the IANA special-purpose registries): usable as a public server's address.
  bool is_global_unicast() const;

  auto operator<=>(const IpAddress&) const = default;

 private:
  IpFamily family_ = IpFamily::kV4;
  std::array<std::byte, 16> bytes_{};
};

// "192.0.2.1", "2001:db8::1"; no zone, no port, no leading zeros in IPv4. Errors: kInvalid.
Result<IpAddress> parse_ip(std::string_view text);
// RFC 5952 form.
std::string format(const IpAddress& address);

// An address block. The bits of base() past length() are zero.
class Prefix {
 public:
  // 0.0.0.0/0
  constexpr Prefix() = default;
  // The block of the first `length` bits of `address`; `length` is cut to 0..address.bits().
  Prefix(const IpAddress& address, int length);

  const IpAddress& base() const { return base_; }
  int length() const { return length_; }
  bool contains(const IpAddress& address) const;
  bool contains(const Prefix& other) const;
  auto operator<=>(const Prefix&) const = default;

 private:
  IpAddress base_;
  int length_ = 0;
};

// "192.0.2.0/24", "2001:db8::/32", or an address alone (its /32 or /128). Bits set past the length
// are an error, since they are most often a slip. Errors: kInvalid.
Result<Prefix> parse_prefix(std::string_view text);
std::string format(const Prefix& prefix);

// An address and a port, with the interface that a link-local address needs.
struct Endpoint {
  IpAddress address;
  std::uint16_t port = 0;
  std::uint32_t scope_id = 0;  // interface index; 0 is none

  auto operator<=>(const Endpoint&) const = default;
};

// "192.0.2.1:123", "[2001:db8::1]:123"; without a port `default_port`, or an error when that is 0.
Result<Endpoint> parse_endpoint(std::string_view text, std::uint16_t default_port = 0);
std::string format(const Endpoint& endpoint);

}  // namespace timepool

template <>
struct std::hash<timepool::IpAddress> {
  std::size_t operator()(const timepool::IpAddress& address) const noexcept;
};
template <>
struct std::hash<timepool::Endpoint> {
  std::size_t operator()(const timepool::Endpoint& endpoint) const noexcept;
};
