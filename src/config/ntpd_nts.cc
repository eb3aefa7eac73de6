#include "config/ntpd_nts.h"

namespace timepool::config {

Schema<NtpdNtsConfig> ntpd_nts_schema() {
  Schema<NtpdNtsConfig> out;
  out.table("client", &NtpdNtsConfig::client, nts_client_schema(),
            "The client, of all sources with `nts`: what is kept, for how long, and what is done "
            "about certificates on a machine that does not know the time.")
      .table(
          "cookies", &NtpdNtsConfig::cookies, nts_cookies_schema(),
          "The keys of cookies. Without this table they are as by default where there is "
          "[nts.server]; with it requests under NTS are answered also where key establishment is "
          "another machine's, with the same keys.")
      .table("server", &NtpdNtsConfig::server, nts_server_schema(),
             "Establish keys with clients (RFC 8915 4) and send them to an NTP server with them. "
             "Without this table nobody listens for that.")
      .table("srv", &NtpdNtsConfig::srv, nts_srv_schema(),
             "How the SRV records of pools with `nts = \"srv\"` or `nts = \"auto\"` are looked up, "
             "and by which DNSSEC keys they are believed.");
  return out;
}

}  // namespace timepool::config
