// The settings of timepool-monitord.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/duration.h"
#include "base/ip.h"
#include "config/schema.h"
#include "sys/log.h"

namespace timepool::config {

struct MonitordConfig {
  struct Manager {
    std::string url;
    std::string token_file;
    std::string ca_file;                          // "": the system's store
    Duration wait = Duration::seconds(30);        // of one long-poll for work
    Duration retry_min = Duration::seconds(1);    // first wait after a failure
    Duration retry_max = Duration::seconds(120);  // longest wait between tries
  };
  struct Probe {
    int max_parallel = 64;
    Duration spacing = Duration::seconds(2);  // between the samples of one server
    Duration timeout = Duration::seconds(3);  // of one sample
  };
  struct NtsTrust {
    std::string word;
    std::string file;
    bool operator==(const NtsTrust&) const = default;
  };
  struct Nts {
    int max_parallel = 64;
    Duration timeout = Duration::seconds(5);  // of one key establishment
    bool look_up = true;
    std::vector<Endpoint> resolvers;  // empty: the system's
    std::vector<NtsTrust> trust;
  };
  enum class SanityMode : std::uint8_t { kAuto, kServers, kKernel, kNone };
  struct Sanity {
    SanityMode mode = SanityMode::kAuto;
    std::vector<Endpoint> servers;
    Duration max_offset = Duration::milliseconds(10);
    Duration interval = Duration::seconds(180);
  };
  struct Report {
    int max_results = 100;                     // of one batch
    Duration interval = Duration::seconds(5);  // a result waits no longer for others
  };
  struct Spool {
    std::string directory = "/var/lib/timepool/monitord";
    std::int64_t max_bytes = 256 << 20;
  };
  struct Control {
    std::string socket = "/run/timepool/monitord.sock";
  };

  Manager manager;
  Probe probe;
  Nts nts;
  Sanity sanity;
  Report report;
  Spool spool;
  Control control;
  sys::LogLevel log_level = sys::LogLevel::kInfo;
};

Schema<MonitordConfig> monitord_schema();

}  // namespace timepool::config
