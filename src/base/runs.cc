#include "base/runs.h"

#include <array>
#include <bit>
#include <cstring>

namespace timepool {
namespace {

// Eight bytes in network order; one load and at most one instruction more.
std::uint64_t big_endian(Bytes bytes) {
  std::uint64_t out = 0;
  std::memcpy(&out, bytes.data(), sizeof out);
  return std::endian::native == std::endian::little ? __builtin_bswap64(out) : out;
}

}  // namespace

V4Key v4_key(const IpAddress& address) {
  return address.v4_bits();
}

V6Key v6_key(const IpAddress& address) {
  CHECK(!address.is_v4());
  return static_cast<V6Key>(big_endian(address.bytes().first(8))) << 64 |
         big_endian(address.bytes().last(8));
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

}  // namespace timepool
