// [server]: the serving half of timepool-ntpd.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/duration.h"
#include "base/ip.h"
#include "config/ntpd_access.h"
#include "config/schema.h"

namespace timepool::config {

// [server.local]: the system clock is served as synchronised.
struct NtpLocalConfig {
  int stratum = 10;
  std::string refid = "LOCL";
  Duration root_dispersion;
  bool operator==(const NtpLocalConfig&) const = default;
};

// [server.test]: for tests only.
struct NtpTestConfig {
  Duration offset;
  bool operator==(const NtpTestConfig&) const = default;
};

struct NtpServerConfig {
  std::vector<Endpoint> listen;  // empty: every address, port 123
  unsigned threads = 0;
  bool pin_threads = true;
  std::int64_t receive_buffer = 8 << 20;
  std::string interface;
  std::size_t interleaved_replies = 65'536;
  std::optional<NtpLocalConfig> local;
  NtpTestConfig test;
  NtpAccessConfig access;
  NtpLimitsConfig limits;
  bool operator==(const NtpServerConfig&) const = default;
};

Schema<NtpServerConfig> ntp_server_schema();

}  // namespace timepool::config
