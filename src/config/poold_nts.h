// [nts]: names of servers for Network Time Security, and when a server is listed by them.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/duration.h"
#include "config/schema.h"

namespace timepool::config {

struct PooldNtsConfig {
  std::string name_template = "{name}.m.{pool}";
  std::vector<std::string> reserved;
  Duration reuse_after = Duration::seconds(100LL * 86'400);
  std::vector<std::string> authorities{"letsencrypt.org"};
  std::vector<std::string> methods{"http-01", "tls-alpn-01"};
  std::uint32_t ttl = 60;
  std::uint32_t max_targets = 4;
  std::string trust = "system";
  std::uint32_t min_monitors = 2;
  std::uint32_t max_failures = 2;
  Duration window = Duration::seconds(2700);
  double max_offset_s = 0.25;
  bool operator==(const PooldNtsConfig&) const = default;

  // The labels between a server's and the pool's: "m".
  std::string parent() const;
};

Schema<PooldNtsConfig> poold_nts_schema();

}  // namespace timepool::config
