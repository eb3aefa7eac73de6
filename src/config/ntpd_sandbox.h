// [sandbox] of timepool-ntpd: what the daemon may still do once it has opened what it needs.
#pragma once

#include <string>

#include "config/schema.h"

namespace timepool::config {

struct NtpdSandboxConfig {
  std::string user;  // empty: as it was started
  bool seccomp = true;
  bool landlock = true;
  bool operator==(const NtpdSandboxConfig&) const = default;
};

Schema<NtpdSandboxConfig> ntpd_sandbox_schema();

}  // namespace timepool::config
