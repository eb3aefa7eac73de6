// [nts.client]: the client of NTS (RFC 8915) in timepool-ntpd, for all its sources.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "base/duration.h"
#include "config/schema.h"

namespace timepool::config {

struct NtsClientConfig {
  std::string file = {};  // empty: in the state directory
  Duration key_lifetime = Duration::seconds(28 * 86'400);
  Duration timeout = Duration::seconds(5);
  std::uint64_t unchecked_updates = 0;
  std::size_t unchecked_quorum = 3;
  bool operator==(const NtsClientConfig&) const = default;
};

Schema<NtsClientConfig> nts_client_schema();

}  // namespace timepool::config
