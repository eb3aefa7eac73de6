// [cookies]: DNS cookies (RFC 7873, 9018) of timepool-dnsd.
#pragma once

#include <cstdint>
#include <string>

#include "base/duration.h"
#include "config/schema.h"

namespace timepool::config {

struct DnsdCookiesConfig {
  std::string seed_file;  // empty: a seed of its own at each start
  Duration rotation = Duration::seconds(86'400);
  bool required = false;
  std::uint16_t max_udp_without = 0;  // 0: as with a cookie
  bool operator==(const DnsdCookiesConfig&) const = default;
};

Schema<DnsdCookiesConfig> dnsd_cookies_schema();

}  // namespace timepool::config
