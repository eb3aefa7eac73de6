#include "ntp/loop.h"

#include <algorithm>

namespace timepool::ntp {

bool is_ourselves(const Endpoint& server, const OwnIdentity& own) {
  const IpAddress address = server.address.unmapped();
  const bool ours = address.is_loopback() || std::find(own.addresses.begin(), own.addresses.end(),
                                                       address) != own.addresses.end();
  return std::any_of(own.serves.begin(), own.serves.end(), [&](const Endpoint& serves) {
    if (serves.port != server.port) return false;
    if (!serves.address.is_unspecified()) return serves.address.unmapped() == address;
    // A socket on [::] is reached by IPv4 as well.
    return ours && (!serves.address.is_v4() || address.is_v4());
  });
}

std::vector<Endpoint> own_endpoints(const OwnIdentity& own) {
  std::vector<Endpoint> out;
  for (const Endpoint& serves : own.serves) {
    if (!serves.address.is_unspecified()) {
      out.push_back(serves);
      continue;
    }
    for (const IpAddress& address : own.addresses) {
      const Endpoint one{address, serves.port, 0};
      if (is_ourselves(one, own)) out.push_back(one);
    }
  }
  return out;
}

bool follows_us(std::uint8_t stratum, wire::ntp::ReferenceId reference, const OwnIdentity& own) {
  // Stratum 1 has text there; zero is an unknown one.
  if (stratum < 2 || reference.bits() == 0) return false;
  return std::any_of(own.addresses.begin(), own.addresses.end(), [&](const IpAddress& address) {
    return !address.is_loopback() && !address.is_unspecified() &&
           wire::ntp::ReferenceId::of_address(address) == reference;
  });
}

}  // namespace timepool::ntp
