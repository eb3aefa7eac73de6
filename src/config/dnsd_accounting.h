// [accounting]: timepool-dnsd tells the manager how often it handed out each server.
#pragma once

#include <string>

#include "base/duration.h"
#include "config/schema.h"

namespace timepool::config {

struct DnsdAccountingConfig {
  std::string token_file;  // empty: the manager is not told
  Duration interval = Duration::seconds(60);
  std::string spool_file;
  bool operator==(const DnsdAccountingConfig&) const = default;
};

Schema<DnsdAccountingConfig> dnsd_accounting_schema();

}  // namespace timepool::config
