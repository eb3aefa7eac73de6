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
#include "config/ntpd_smear.h"
#include "config/schema.h"

namespace timepool::config {

// [server.local]: the system clock is served as synchronised for want of a better one.
struct NtpLocalConfig {
  int stratum = 10;
  std::string refid = "LOCL";
  Duration root_dispersion;
  Duration distance = Duration::seconds(1);
  Duration activate;
  Duration wait_synced;
  std::optional<Duration> wait_unsynced;
  bool orphan = false;

  // 300 s for orphans: the others are heard in that time.
  Duration wait_alone() const {
    return wait_unsynced.value_or(orphan ? Duration::seconds(300) : Duration());
  }
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
  Duration max_root_distance = Duration::seconds(1);
  bool hide_refid = false;
  std::optional<NtpLocalConfig> local;
  std::optional<NtpSmearConfig> smear;
  NtpTestConfig test;
  NtpAccessConfig access;
  NtpLimitsConfig limits;
  bool operator==(const NtpServerConfig&) const = default;
};

Schema<NtpServerConfig> ntp_server_schema();

}  // namespace timepool::config
