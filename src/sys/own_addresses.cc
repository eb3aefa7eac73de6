#include "sys/own_addresses.h"

#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <memory>

namespace timepool::sys {
namespace {

// An interface without an address has a null there.
void take(const sockaddr* address, std::vector<IpAddress>& out) {
  if (address == nullptr) return;
  if (address->sa_family == AF_INET) {
    sockaddr_in v4{};
    std::memcpy(&v4, address, sizeof v4);
    out.push_back(IpAddress::v4(ntohl(v4.sin_addr.s_addr)));
  }
  if (address->sa_family == AF_INET6) {
    sockaddr_in6 v6{};
    std::memcpy(&v6, address, sizeof v6);
    out.push_back(IpAddress::from_bytes(std::as_bytes(std::span(v6.sin6_addr.s6_addr))));
  }
}

}  // namespace

Result<std::vector<IpAddress>> own_addresses() {
  ifaddrs* list = nullptr;
  if (::getifaddrs(&list) != 0) return fail(system_error(errno, "getifaddrs"));
  const std::unique_ptr<ifaddrs, decltype(&::freeifaddrs)> owner(list, &::freeifaddrs);
  std::vector<IpAddress> out;
  for (const ifaddrs* it = list; it != nullptr && out.size() < kMaxOwnAddresses;
       it = it->ifa_next) {
    if ((it->ifa_flags & IFF_UP) != 0) take(it->ifa_addr, out);
  }
  std::sort(out.begin(), out.end());
  out.erase(std::unique(out.begin(), out.end()), out.end());
  return out;
}

}  // namespace timepool::sys
