#include "config/ntpd_reports.h"

namespace timepool::config {

Schema<NtpdMetricsConfig> ntpd_metrics_schema() {
  Schema<NtpdMetricsConfig> metrics;
  metrics.field("listen", &NtpdMetricsConfig::listen, maybe(endpoint(9975, true)),
                "Address and port of GET /metrics, for Prometheus; the port is 9975 unless it is "
                "given. Not given: none. Whoever can reach it can read it: keep it on loopback.");
  return metrics;
}

}  // namespace timepool::config
