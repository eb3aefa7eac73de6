#include "config/ntpd_sandbox.h"

#include "config/sandbox.h"

namespace timepool::config {

Schema<NtpdSandboxConfig> ntpd_sandbox_schema() {
  return sandbox_schema_of<NtpdSandboxConfig>();
}

}  // namespace timepool::config
