// [rrl]: how often timepool-dnsd gives one network the same kind of answer by UDP.
#pragma once

#include <cstdint>
#include <vector>

#include "base/ip.h"
#include "config/schema.h"

namespace timepool::config {

struct DnsdRrlConfig {
  std::uint32_t rate = 500;
  std::uint32_t window = 4;
  std::uint32_t slip = 2;
  int ipv4_prefix = 24;
  int ipv6_prefix = 56;
  std::vector<Prefix> exempt = {parse_prefix("127.0.0.0/8").value(), parse_prefix("::1").value()};
  std::size_t table_size = 65'536;
  bool operator==(const DnsdRrlConfig&) const = default;
};

Schema<DnsdRrlConfig> dnsd_rrl_schema();

}  // namespace timepool::config
