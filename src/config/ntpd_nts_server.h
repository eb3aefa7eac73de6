// [nts.server]: the key establishment of Network Time Security (RFC 8915 4) that timepool-ntpd
// serves.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "base/aead.h"
#include "base/duration.h"
#include "base/ip.h"
#include "config/schema.h"

namespace timepool::config {

// RFC 8915 4: the port that IANA has for it.
inline constexpr std::uint16_t kNtsKePort = 4460;

// [[nts.server.certificate]]
struct NtsCertificateConfig {
  std::string chain;
  std::string key;
  bool operator==(const NtsCertificateConfig&) const = default;
};

// [[nts.server.ntp_server]]
struct NtsNtpServerConfig {
  std::string name;  // empty: the address of the key establishment
  std::uint16_t port = 123;
  bool operator==(const NtsNtpServerConfig&) const = default;
};

// [nts.server.limits]: connections at a time, and how many new ones a second; docs/adr/0036.
struct NtsLimitsConfig {
  std::size_t connections = 2000;
  std::size_t v4_32_connections = 200;
  std::size_t v4_24_connections = 500;
  std::size_t v6_56_connections = 200;
  std::size_t v6_48_connections = 500;
  std::int64_t clients = 16'384;  // remembered
  double address_rate = 20;
  std::int64_t address_burst = 1000;
  double v4_24_rate = 100;
  std::int64_t v4_24_burst = 4000;
  double v6_64_rate = 20;
  std::int64_t v6_64_burst = 1000;
  double v6_56_rate = 50;
  std::int64_t v6_56_burst = 2000;
  double v6_48_rate = 100;
  std::int64_t v6_48_burst = 4000;
  std::vector<Prefix> exempt{Prefix(IpAddress::v4(0x7f00'0000), 8),
                             parse_prefix("::1/128").value()};
  bool operator==(const NtsLimitsConfig&) const = default;
};

struct NtsServerConfig {
  std::vector<Endpoint> listen;  // empty: every address, port 4460
  std::vector<NtsCertificateConfig> certificates;
  unsigned threads = 1;
  Duration deadline = Duration::seconds(2);
  std::vector<AeadId> aeads{AeadId::kAes128GcmSiv, AeadId::kAesSivCmac256};
  std::vector<NtsNtpServerConfig> ntp_servers;
  NtsLimitsConfig limits;
  bool operator==(const NtsServerConfig&) const = default;
};

Schema<NtsServerConfig> nts_server_schema();

}  // namespace timepool::config
