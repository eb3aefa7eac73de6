// [query_log]: queries and their answers in a file.
#pragma once

#include <cstdint>
#include <string>

#include "config/schema.h"

namespace timepool::config {

enum class QueryLogFormat : std::uint8_t { kJson, kDnstap };

struct DnsdQueryLogConfig {
  std::string file;  // empty: none
  QueryLogFormat format = QueryLogFormat::kJson;
  std::uint32_t sample = 1;
  bool operator==(const DnsdQueryLogConfig&) const = default;
};

Schema<DnsdQueryLogConfig> dnsd_query_log_schema();

}  // namespace timepool::config
