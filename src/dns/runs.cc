#include "dns/runs.h"

#include <array>

namespace timepool::dns {

V4Key v4_key(const IpAddress& address) {
  return address.v4_bits();
}

V6Key v6_key(const IpAddress& address) {
  CHECK(!address.is_v4());
  V6Key key = 0;
  for (const std::byte b : address.bytes()) key = key << 8 | std::to_integer<unsigned>(b);
  return key;
}

IpAddress address_of(V4Key key) {
  return IpAddress::v4(key);
}

IpAddress address_of(V6Key key) {
  std::array<std::byte, 16> bytes{};
  for (std::size_t i = bytes.size(); i > 0; --i) {
    bytes[i - 1] = static_cast<std::byte>(static_cast<std::uint8_t>(key));
    key >>= 8;
  }
  return IpAddress::from_bytes(bytes);
}

}  // namespace timepool::dns
