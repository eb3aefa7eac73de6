#include "ntp/server/address_key.h"

#include "base/runs.h"

namespace timepool::ntp {

AddressKey key_of(const IpAddress& address) {
  if (address.is_v4()) return {0, kMappedV4 | address.v4_bits()};
  const V6Key key = v6_key(address);
  return {static_cast<std::uint64_t>(key >> 64), static_cast<std::uint64_t>(key)};
}

IpAddress address_of(const AddressKey& key) {
  if (key.high == 0 && key.low >> 32 == kMappedV4 >> 32) {
    return IpAddress::v4(static_cast<std::uint32_t>(key.low));
  }
  return timepool::address_of(static_cast<V6Key>(key.high) << 64 | key.low);
}

}  // namespace timepool::ntp
