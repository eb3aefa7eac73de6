// [server.access] and [server.limits]: whom timepool-ntpd serves, and how often.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/ip.h"
#include "config/schema.h"

namespace timepool::config {

struct NtpAccessRules {
  std::vector<Prefix> allow;
  std::vector<Prefix> deny;
  std::vector<std::string> allow_files;
  std::vector<std::string> deny_files;
  bool operator==(const NtpAccessRules&) const = default;
};

// [[server.access.interface]]
struct NtpInterfaceAccess : NtpAccessRules {
  std::string name;
  bool operator==(const NtpInterfaceAccess&) const = default;
};

struct NtpAccessConfig : NtpAccessRules {
  std::vector<NtpInterfaceAccess> interfaces;
  bool operator==(const NtpAccessConfig&) const = default;
};

// How many tokens a second, and how many at once; a rate of 0 is no limit. The numbers are those of
// a server on the open Internet (docs/adr/0027-rate-limits.md).
struct NtpLimitsConfig {
  bool enabled = true;
  std::int64_t clients = 65'536;  // remembered by all workers together
  double address_rate = 100;
  std::int64_t address_burst = 8000;
  double v4_24_rate = 1000;
  std::int64_t v4_24_burst = 32'000;
  double v6_64_rate = 200;
  std::int64_t v6_64_burst = 8000;
  double v6_56_rate = 500;
  std::int64_t v6_56_burst = 16'000;
  double v6_48_rate = 1000;
  std::int64_t v6_48_burst = 32'000;
  double newcomers_rate = 100'000;
  std::int64_t newcomers_burst = 100'000;
  std::uint32_t leak = 4;
  std::uint32_t kod = 16;
  std::vector<Prefix> exempt{Prefix(IpAddress::v4(0x7f00'0000), 8),
                             parse_prefix("::1/128").value()};
  bool operator==(const NtpLimitsConfig&) const = default;
};

Schema<NtpAccessConfig> ntp_access_schema();
Schema<NtpLimitsConfig> ntp_limits_schema();

}  // namespace timepool::config
