// "HOST:PORT" as people write it: a name or address, with or without a port.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace timepool::cli {

struct HostPort {
  std::string host;  // a name or an address, without brackets
  std::uint16_t port = 0;
};

// "time.example", "time.example:1123", "192.0.2.1", "2001:db8::1", "[2001:db8::1]:1123". Errors:
// kInvalid.
Result<HostPort> parse_host_port(std::string_view text, std::uint16_t default_port);

}  // namespace timepool::cli
