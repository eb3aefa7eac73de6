#include "config/ntpd_reports.h"

namespace timepool::config {

Schema<NtpdLogConfig> ntpd_log_schema() {
  Schema<NtpdLogConfig> log;
  log.field("directory", &NtpdLogConfig::directory, text(),
            "Where the logs below are written: measurements.log, statistics.log, tracking.log, "
            "selection.log, refclocks.log. timepool-ntpd(8) has their columns.")
      .field("measurements", &NtpdLogConfig::measurements, boolean(),
             "A line for each answer of a server, also for those that are not used.")
      .field("statistics", &NtpdLogConfig::statistics, boolean(),
             "A line for each new estimate of a source.")
      .field("tracking", &NtpdLogConfig::tracking, boolean(),
             "A line for each time that the sources together give.")
      .field("selection", &NtpdLogConfig::selection, boolean(),
             "A line for each source whenever the selection was made anew.")
      .field("refclocks", &NtpdLogConfig::refclocks, boolean(),
             "A line for each reading of a reference clock, also for those that are not used, and "
             "for each sample that is made of them.")
      .field("banner", &NtpdLogConfig::banner, integer(0, 1'000'000),
             "How many lines come between two headings. With 0 the heading stands only where a "
             "file begins.")
      .check([](const NtpdLogConfig& it) -> std::string {
        return it.any() && it.directory.empty() ? "logs are wanted, but there is no directory" : "";
      });
  return log;
}

Schema<NtpdMetricsConfig> ntpd_metrics_schema() {
  Schema<NtpdMetricsConfig> metrics;
  metrics.field("listen", &NtpdMetricsConfig::listen, maybe(endpoint(9975, true)),
                "Address and port of GET /metrics, for Prometheus; the port is 9975 unless it is "
                "given. Not given: none. Whoever can reach it can read it: keep it on loopback.");
  return metrics;
}

}  // namespace timepool::config
