#include "config/ntpd_nts.h"

namespace timepool::config {

Schema<NtpdNtsConfig> ntpd_nts_schema() {
  Schema<NtpdNtsConfig> out;
  out.table("acme", &NtpdNtsConfig::acme, nts_acme_schema(),
            "Get the certificate of [nts.server] from an authority by ACME (RFC 8555), and renew "
            "it. It is shown beside those of [[nts.server.certificate]], of which none is needed "
            "then.")
      .table("client", &NtpdNtsConfig::client, nts_client_schema(),
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
  out.check([](const NtpdNtsConfig& it) -> std::string {
    if (it.acme && !it.server) return "[nts.acme] without [nts.server]: nobody would see it";
    if (!it.server || !it.server->certificates.empty() || it.acme) return "";
    return "[nts.server]: one [[nts.server.certificate]] at least, or [nts.acme]";
  });
  return out;
}

}  // namespace timepool::config
