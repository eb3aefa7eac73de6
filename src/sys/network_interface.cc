#include "sys/network_interface.h"

#include <ifaddrs.h>
#include <linux/if_packet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <memory>

namespace timepool::sys {
namespace {

std::uint32_t v4_bits(const sockaddr* address) {
  sockaddr_in v4{};
  std::memcpy(&v4, address, sizeof v4);
  return ntohl(v4.sin_addr.s_addr);
}

void add(IpAddress address, std::vector<IpAddress>& out) {
  const bool known = std::find(out.begin(), out.end(), address) != out.end();
  if (!known && out.size() < kMaxBroadcastAddresses) out.push_back(address);
}

// The last address of each network: loopback has one too, and does not name it.
void take(const ifaddrs& it, NetworkInterface& out) {
  if (it.ifa_addr == nullptr) return;
  if (it.ifa_addr->sa_family == AF_PACKET) {
    sockaddr_ll link{};
    std::memcpy(&link, it.ifa_addr, sizeof link);
    out.index = static_cast<std::uint32_t>(link.sll_ifindex);
  }
  if (it.ifa_addr->sa_family != AF_INET || it.ifa_netmask == nullptr) return;
  const std::uint32_t hosts = ~v4_bits(it.ifa_netmask);
  // Networks of one or two addresses have none (RFC 3021).
  if (hosts > 1) add(IpAddress::v4(v4_bits(it.ifa_addr) | hosts), out.broadcasts);
}

}  // namespace

Result<NetworkInterface> network_interface(const std::string& name) {
  ifaddrs* list = nullptr;
  if (::getifaddrs(&list) != 0) return fail(system_error(errno, "getifaddrs"));
  const std::unique_ptr<ifaddrs, decltype(&::freeifaddrs)> owner(list, &::freeifaddrs);
  NetworkInterface out;
  for (const ifaddrs* it = list; it != nullptr; it = it->ifa_next) {
    if (name == it->ifa_name) take(*it, out);
  }
  if (out.index == 0) {
    return fail(Error{ErrorCode::kNotFound, "interface " + name, "there is none of that name"});
  }
  return out;
}

}  // namespace timepool::sys
