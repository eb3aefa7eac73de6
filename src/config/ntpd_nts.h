// [nts]: Network Time Security (RFC 8915) in timepool-ntpd.
#pragma once

#include <optional>

#include "config/ntpd_nts_server.h"
#include "config/schema.h"

namespace timepool::config {

struct NtpdNtsConfig {
  std::optional<NtsServerConfig> server;
  bool operator==(const NtpdNtsConfig&) const = default;
};

Schema<NtpdNtsConfig> ntpd_nts_schema();

}  // namespace timepool::config
