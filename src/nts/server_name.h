// The name of an NTP server in a record of key establishment (RFC 8915 4.1.7): an address or a
// fully qualified domain name in ASCII.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/ip.h"

namespace timepool::nts {

// RFC 1035 2.3.4, as text without the last dot.
inline constexpr std::size_t kMaxServerName = 253;

inline constexpr std::uint16_t kNtpPort = 123;

// Which server, and where it listens. A name is looked up as absolute, whatever search list the
// machine has.
struct NtpServer {
  std::string name;  // an address without zone, or a domain name without its last dot
  std::uint16_t port = kNtpPort;

  friend bool operator==(const NtpServer&, const NtpServer&) = default;
};

// True for an address without a zone, or a domain name: labels of 1 to 63 letters, digits, "-" and
// "_" with dots between and perhaps one behind, the last label not all digits.
bool is_server_name(std::string_view name);
// True when both name one server: without regard to case and a last dot, addresses by value.
bool same_server_name(std::string_view a, std::string_view b);
// False for an address of the other family; a domain name may have addresses of both.
bool may_serve_family(std::string_view name, IpFamily family);

}  // namespace timepool::nts
