// AddressKey: an address as two words, and the networks that it lies in, for the tables of the rate
// limits. IPv4 is ::ffff:a.b.c.d in it.
#pragma once

#include <compare>
#include <cstdint>

#include "base/ip.h"

namespace timepool::ntp {

struct AddressKey {
  std::uint64_t high = 0;
  std::uint64_t low = 0;
  auto operator<=>(const AddressKey&) const = default;
};

inline constexpr std::uint64_t kMappedV4 = 0xffff'0000'0000;

AddressKey key_of(const IpAddress& address);
IpAddress address_of(const AddressKey& key);

// The networks that have a limit of their own: the /24 of IPv4, and of IPv6 a link, what a home
// gets at most places, and a site.
enum class Network : std::uint8_t { kV4Of24, kV6Of64, kV6Of56, kV6Of48 };
inline constexpr std::size_t kNetworkCount = 4;

// Two words that differ for any two networks.
constexpr AddressKey key_of(Network network, const AddressKey& address) {
  const auto level = static_cast<std::uint64_t>(network);
  switch (network) {
    case Network::kV4Of24:
      return {address.low & ~std::uint64_t{0xff}, level};
    case Network::kV6Of64:
      return {address.high, level};
    case Network::kV6Of56:
      return {address.high & ~std::uint64_t{0xff}, level};
    case Network::kV6Of48:
      break;
  }
  return {address.high & ~std::uint64_t{0xffff}, level};
}

}  // namespace timepool::ntp
