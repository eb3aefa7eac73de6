// [nts]: Network Time Security (RFC 8915) in timepool-ntpd.
#pragma once

#include <optional>

#include "config/ntpd_nts_acme.h"
#include "config/ntpd_nts_client.h"
#include "config/ntpd_nts_cookies.h"
#include "config/ntpd_nts_server.h"
#include "config/ntpd_nts_srv.h"
#include "config/schema.h"

namespace timepool::config {

struct NtpdNtsConfig {
  std::optional<NtsAcmeConfig> acme;
  std::optional<NtsClientConfig> client;    // absent: as by default
  std::optional<NtsCookiesConfig> cookies;  // absent: as by default, if there is a server
  std::optional<NtsServerConfig> server;
  std::optional<NtsSrvConfig> srv;  // absent: as by default
  bool operator==(const NtpdNtsConfig&) const = default;
};

// The keys of cookies that are to be had; nothing when none are.
inline std::optional<NtsCookiesConfig> wanted_cookies(const NtpdNtsConfig& config) {
  if (config.cookies || !config.server) return config.cookies;
  return NtsCookiesConfig{};
}

Schema<NtpdNtsConfig> ntpd_nts_schema();

}  // namespace timepool::config
