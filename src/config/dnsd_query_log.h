// [query_log]: queries and their answers in a file, or to a program that takes dnstap.
#pragma once

#include <cstdint>
#include <string>

#include "config/schema.h"

namespace timepool::config {

enum class QueryLogFormat : std::uint8_t { kJson, kDnstap };

struct DnsdQueryLogConfig {
  std::string file;  // empty: none
  QueryLogFormat format = QueryLogFormat::kJson;
  std::string socket;                  // in place of the file; empty: none
  std::uint32_t max_megabytes = 1000;  // 0: no limit
  std::uint32_t keep = 4;
  std::uint32_t sample = 1;
  bool operator==(const DnsdQueryLogConfig&) const = default;
};

Schema<DnsdQueryLogConfig> dnsd_query_log_schema();

}  // namespace timepool::config
