#include "config/ntpd_nts_srv.h"

namespace timepool::config {

Schema<NtsSrvConfig> nts_srv_schema() {
  using C = NtsSrvConfig;
  Schema<C> out;
  out.field("trust_anchors", &C::trust_anchors, list_of(path(), 8),
            "Files of DNSSEC trust anchors: DS or DNSKEY records as text, one a line. An empty "
            "list: /usr/share/dns/root.key (Debian package dns-root-data), else "
            "/var/lib/unbound/root.key. They are read when the daemon starts.")
      .field("servers", &C::servers, list_of(endpoint(53), 16),
             "DNS servers to ask; they must hand on signatures, but need not check them. An empty "
             "list: those of [resolver], else those of /etc/resolv.conf, which is read again when "
             "it has changed.")
      .field("full_resolution", &C::full_resolution, boolean(),
             "Ask no such server, but those of the zones, from the root on (port 53). For networks "
             "whose own resolvers drop signatures.")
      .check([](const C& it) -> std::string {
        const bool both = it.full_resolution && !it.servers.empty();
        return both ? "full_resolution and servers exclude each other" : "";
      });
  return out;
}

}  // namespace timepool::config
