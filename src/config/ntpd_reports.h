// What timepool-ntpd tells unasked: metrics over HTTP ([metrics]).
#pragma once

#include <optional>

#include "base/ip.h"
#include "config/schema.h"

namespace timepool::config {

struct NtpdMetricsConfig {
  std::optional<Endpoint> listen;
  bool operator==(const NtpdMetricsConfig&) const = default;
};

Schema<NtpdMetricsConfig> ntpd_metrics_schema();

}  // namespace timepool::config
