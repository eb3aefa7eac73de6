// [tls] of timepool-dnsd: DNS over TLS (RFC 7858).
#pragma once

#include <cstdint>
#include <vector>

#include "base/ip.h"
#include "config/dnsd_tcp.h"
#include "config/schema.h"
#include "sys/certificate_files.h"

namespace timepool::config {

// RFC 7858 3.1: the port that IANA has for it.
inline constexpr std::uint16_t kDnsOverTlsPort = 853;

struct DnsdTlsConfig : DnsdConnectionsConfig {
  DnsdTlsConfig() { max_connections = 4096; }
  std::vector<Endpoint> listen;                     // empty: none
  std::vector<sys::CertificateFiles> certificates;  // [[tls.certificate]]
  bool resumption = true;
  bool operator==(const DnsdTlsConfig&) const = default;
};

Schema<DnsdTlsConfig> dnsd_tls_schema();

}  // namespace timepool::config
