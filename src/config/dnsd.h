// The settings of timepool-dnsd.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/duration.h"
#include "base/ip.h"
#include "config/dnsd_accounting.h"
#include "config/dnsd_cookies.h"
#include "config/dnsd_dnssec.h"
#include "config/dnsd_query_log.h"
#include "config/dnsd_rrl.h"
#include "config/dnsd_tcp.h"
#include "config/dnsd_tls.h"
#include "config/dnsd_transfer.h"
#include "config/prefix_country.h"
#include "config/schema.h"
#include "sys/log.h"
#include "sys/sandbox.h"

namespace timepool::config {

struct DnsdServerConfig {
  std::vector<Endpoint> listen;  // empty: every address, port 53
  unsigned threads = 1;
  bool pin_threads = false;
  std::int64_t receive_buffer = 4 << 20;
  std::uint16_t max_udp = 1232;
  std::string identity;
  std::string version = "timepool";
  bool operator==(const DnsdServerConfig&) const = default;
};

// An autonomous system for an address block.
struct PrefixAsn {
  Prefix prefix;
  std::uint32_t asn = 0;
  auto operator<=>(const PrefixAsn&) const = default;
};

struct DnsdGeoipConfig {
  std::vector<std::string> files;
  std::vector<PrefixCountry> overrides;
  std::vector<PrefixAsn> asn_overrides;
  bool operator==(const DnsdGeoipConfig&) const = default;
};

struct DnsdZonesConfig {
  std::string directory;
  std::string health_directory;
  bool operator==(const DnsdZonesConfig&) const = default;
};

struct DnsdSnapshotConfig {
  std::vector<std::string> urls;
  std::vector<std::string> public_keys;
  std::string directory;
  unsigned keep = 3;
  std::string ca_file;
  Duration wait = Duration::seconds(60);
  Duration retry_max = Duration::seconds(60);
  std::optional<Endpoint> relay;
  bool operator==(const DnsdSnapshotConfig&) const = default;
};

struct DnsdControlConfig {
  std::string socket = "/run/timepool/dnsd.sock";
  bool operator==(const DnsdControlConfig&) const = default;
};

struct DnsdMetricsConfig {
  std::optional<Endpoint> listen;
  bool operator==(const DnsdMetricsConfig&) const = default;
};

struct DnsdConfig {
  sys::LogLevel log_level = sys::LogLevel::kInfo;
  DnsdServerConfig server;
  DnsdTcpConfig tcp;
  DnsdCookiesConfig cookies;
  DnsdRrlConfig rrl;
  DnsdTlsConfig tls;
  DnsdQueryLogConfig query_log;
  DnsdAccountingConfig accounting;
  DnsdGeoipConfig geoip;
  DnsdZonesConfig zones;
  DnsdDnssecConfig dnssec;
  DnsdSnapshotConfig snapshot;
  DnsdTransferConfig transfer;
  DnsdControlConfig control;
  DnsdMetricsConfig metrics;
  sys::SandboxSettings sandbox;
  bool operator==(const DnsdConfig&) const = default;
};

Schema<DnsdConfig> dnsd_schema();

}  // namespace timepool::config
