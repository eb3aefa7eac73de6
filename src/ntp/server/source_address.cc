#include "ntp/server/source_address.h"

namespace timepool::ntp {

bool is_one_host(const IpAddress& address) {
  const auto first = std::to_integer<unsigned>(address.bytes()[0]);
  // 224.0.0.0/4 is multicast; of 240.0.0.0/4, which some networks use, only the last is broadcast.
  if (address.is_v4()) {
    return first != 0 && (first < 224 || (first >= 240 && address.v4_bits() != 0xffff'ffffU));
  }
  if (first != 0) return first != 0xff;
  return !address.is_unspecified() && address.unmapped() == address;
}

}  // namespace timepool::ntp
