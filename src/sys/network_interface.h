// What the system says of one network interface.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/ip.h"
#include "base/result.h"

namespace timepool::sys {

// More are not told.
inline constexpr std::size_t kMaxBroadcastAddresses = 16;

struct NetworkInterface {
  std::uint32_t index = 0;
  // The IPv4 broadcast addresses of its networks, each once.
  std::vector<IpAddress> broadcasts;
  bool operator==(const NetworkInterface&) const = default;
};

// Errors: there is none of that name (kNotFound), or the system's.
Result<NetworkInterface> network_interface(const std::string& name);

}  // namespace timepool::sys
