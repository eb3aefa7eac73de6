// What timepool-ntpd tells unasked: the measurement logs ([log]) and metrics over HTTP ([metrics]).
#pragma once

#include <optional>
#include <string>

#include "base/ip.h"
#include "config/schema.h"

namespace timepool::config {

struct NtpdLogConfig {
  std::string directory;
  bool measurements = false;
  bool statistics = false;
  bool tracking = false;
  bool selection = false;
  bool refclocks = false;
  int banner = 32;  // lines between two headings; 0: only where a file begins

  bool any() const { return measurements || statistics || tracking || selection || refclocks; }
  bool operator==(const NtpdLogConfig&) const = default;
};

struct NtpdMetricsConfig {
  std::optional<Endpoint> listen;
  bool operator==(const NtpdMetricsConfig&) const = default;
};

Schema<NtpdLogConfig> ntpd_log_schema();
Schema<NtpdMetricsConfig> ntpd_metrics_schema();

}  // namespace timepool::config
