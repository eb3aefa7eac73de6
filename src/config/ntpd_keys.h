// [keys]: the symmetric keys of timepool-ntpd.
#pragma once

#include <string>

#include "config/schema.h"

namespace timepool::config {

struct NtpKeysConfig {
  std::string file;  // empty: none
  bool allow_weak = false;
  bool operator==(const NtpKeysConfig&) const = default;
};

Schema<NtpKeysConfig> ntpd_keys_schema();

}  // namespace timepool::config
