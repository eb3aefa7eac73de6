// [nts.cookies]: the keys by which timepool-ntpd seals and opens the cookies of NTS (RFC 8915 6).
#pragma once

#include <cstddef>
#include <string>

#include "base/duration.h"
#include "config/schema.h"

namespace timepool::config {

struct NtsCookiesConfig {
  std::string file = {};  // empty: in the state directory
  Duration rotation = Duration::seconds(86'400);
  std::size_t past = 8;
  bool shared = false;
  bool operator==(const NtsCookiesConfig&) const = default;
};

Schema<NtsCookiesConfig> nts_cookies_schema();

}  // namespace timepool::config
