// [nts.srv]: how timepool-ntpd looks up the SRV records of pools, and by which keys it believes
// them.
#pragma once

#include <string>
#include <vector>

#include "base/ip.h"
#include "config/schema.h"

namespace timepool::config {

struct NtsSrvConfig {
  std::vector<std::string> trust_anchors;  // files; empty: the system's
  std::vector<Endpoint> servers;           // empty: those of [resolver], else the system's
  bool full_resolution = false;
  bool operator==(const NtsSrvConfig&) const = default;
};

Schema<NtsSrvConfig> nts_srv_schema();

}  // namespace timepool::config
