#include "config/ntpd_nts.h"

namespace timepool::config {

Schema<NtpdNtsConfig> ntpd_nts_schema() {
  Schema<NtpdNtsConfig> out;
  out.table("server", &NtpdNtsConfig::server, nts_server_schema(),
            "Establish keys with clients (RFC 8915 4) and send them to an NTP server with them. "
            "Without this table nobody listens for that.");
  return out;
}

}  // namespace timepool::config
